/* Scanning a space on all cores. A pilot finds what the shortest analytic times are, as the model has fitted them; in
 * the scan only schedules below that limit get features and trees: corrections are seldom as large as what separates the
 * others from the best, and most of them need not even be walked to the end.
 *
 * Schedules come in runs of ranks that follow one another, where each costs a fraction of one by itself; the runs lie
 * where a lattice of the golden ratio puts them, so that they are distinct and spread over the space. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "predictor/scorer.h"

enum {
  MOST_THREADS = 16,
  LONGEST_RUN = 64,
  PLACES = 15000, /* a scan of fewer schedules has no runs, one of more so many at least */
  SHARE = 20, /* one of so many is predicted, */
  LEAST = 20000, /* but so many always */
  PILOT = 8000
};

typedef struct scanning {
  const sc_space_bound *space;
  sc_count count, nruns, start, stride; /* runs of the whole space; where the first lies, where each next one */
  size_t length, runs; /* schedules of a run; how many are scanned */
  bool whole; /* all ranks, in order */
  double limit_s; /* of the analytic time of what is predicted */
} scanning;

/* One thread's share. */
typedef struct part {
  const scanning *s;
  sc_scorer *scorer;
  size_t run, end;
  sc_status status;
} part;

/* ---- where the runs lie ---- */

static sc_count add_mod(sc_count a, sc_count b, sc_count m) { return a >= m - b ? a - (m - b) : a + b; }

/* a b mod m, for b of a few bits. */
static sc_count times_mod(sc_count a, size_t b, sc_count m) {
  sc_count sum = 0;
  for (; b > 0; b >>= 1) {
    if (b & 1) sum = add_mod(sum, a, m);
    a = add_mod(a, a, m);
  }
  return sum;
}

/* Near the golden section of the runs, and prime to their number. */
static sc_count golden(sc_count nruns) {
  const sc_count share = (sc_count)(0.6180339887498949 * 0x1p53), rest = nruns & (((sc_count)1 << 53) - 1);
  sc_count stride = (nruns >> 53) * share + (rest * share >> 53);
  while (sc_gcd(stride, nruns) != 1) stride++;
  return stride % nruns;
}

static void lay_out(scanning *s, size_t wanted, uint64_t seed) {
  const size_t length = wanted / PLACES;
  sc_rng rng;
  s->length = length < 1 ? 1 : length > LONGEST_RUN ? LONGEST_RUN : length;
  s->whole = s->count <= (sc_count)wanted + s->length;
  s->runs = ((s->whole ? (size_t)s->count : wanted) + s->length - 1) / s->length;
  if (s->whole) return;
  sc_rng_seed(&rng, seed, 0);
  s->nruns = s->count / s->length;
  s->stride = golden(s->nruns);
  s->start = sc_rng_below128(&rng, s->nruns);
}

static sc_count rank_of(const scanning *s, size_t run) {
  const sc_count place = s->whole ? run : add_mod(s->start, times_mod(s->stride, run, s->nruns), s->nruns);
  return place * s->length;
}

static size_t length_of(const scanning *s, size_t run) {
  const sc_count left = s->count - rank_of(s, run);
  return left < s->length ? (size_t)left : s->length;
}

/* ---- the pilot ---- */

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The analytic time that a share of all schedules does not exceed, from a schedule of each of some runs. */
static sc_status fly_pilot(scanning *s, const sc_scorer *scorer, const sc_featurizer *featurizer, double share,
                           sc_error *err) {
  const size_t n = s->runs < PILOT ? s->runs : PILOT;
  double *time = malloc(n * sizeof *time);
  if (!time) return sc_fail(err, SC_NOMEM, "out of memory for a scan");
  for (size_t i = 0; i < n; i++) {
    const size_t run = s->runs * i / n;
    float row[SC_FEATURE_COUNT];
    sc_analytic terms;
    sc_schedule schedule;
    sc_nest nest;
    time[i] = INFINITY;
    if (sc_space_at(s->space, rank_of(s, run) + i % length_of(s, run), &schedule) != SC_OK ||
        sc_lower(scorer->task, &schedule, &nest, NULL) != SC_OK)
      continue;
    sc_featurizer_row(featurizer, &nest, row, &terms);
    time[i] = sc_fit_analytic_s(&scorer->model->card.analytic, &terms);
  }
  qsort(time, n, sizeof *time, by_value);
  s->limit_s = time[(size_t)(share * (double)n)];
  free(time);
  return SC_OK;
}

/* ---- the scan ---- */

static sc_status offer(void *user, const sc_schedule *schedule) {
  const part *p = user;
  sc_scorer_offer(p->scorer, schedule, p->s->limit_s);
  return SC_OK;
}

static void *work(void *user) {
  part *p = user;
  for (size_t r = p->run; r < p->end && p->status == SC_OK; r++) { /* a run begins with nothing kept of another's */
    sc_scan_start(&p->scorer->scan, p->scorer->scan.featurizer);
    p->status = sc_space_each(p->s->space, rank_of(p->s, r), length_of(p->s, r), offer, p);
  }
  sc_scorer_flush(p->scorer);
  return NULL;
}

/* Each part in a thread; what no thread can be had for is done by the calling one. */
static sc_status run_parts(part *parts, int n) {
  pthread_t thread[MOST_THREADS];
  bool started[MOST_THREADS] = {false};
  sc_status status = SC_OK;
  for (int i = 1; i < n; i++) started[i] = pthread_create(&thread[i], NULL, work, &parts[i]) == 0;
  for (int i = 0; i < n; i++)
    if (!started[i]) work(&parts[i]);
  for (int i = 1; i < n; i++)
    if (started[i]) pthread_join(thread[i], NULL);
  for (int i = 0; i < n && status == SC_OK; i++) status = parts[i].status;
  return status;
}

static int threads_of(const sc_pick_options *options, size_t nruns) {
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  size_t n = options->nthread > 0 ? (size_t)options->nthread : cores > 0 ? (size_t)cores : 1;
  if (n > MOST_THREADS) n = MOST_THREADS;
  return (int)(n < nruns ? n : nruns);
}

sc_status sc_scan_space(sc_scorer *scorer, const sc_space_bound *space, const sc_featurizer *featurizer, size_t wanted,
                        const sc_pick_options *options, size_t *scanned, sc_error *err) {
  scanning s = {.space = space, .count = sc_space_count(space), .limit_s = INFINITY};
  part parts[MOST_THREADS];
  if (s.count == 0) return sc_fail(err, SC_NOTFOUND, "the space holds no schedule of this task");
  lay_out(&s, wanted, options->seed);
  *scanned = (s.runs - 1) * s.length + length_of(&s, s.runs - 1);
  const double share = fmax((double)LEAST / (double)*scanned, 1.0 / SHARE);
  if (share < 1) SC_TRY(fly_pilot(&s, scorer, featurizer, share, err));
  const int n = threads_of(options, s.runs);
  bool ok = true;
  for (int i = 0; i < n; i++) {
    parts[i] = (part){&s, scorer, s.runs * (size_t)i / (size_t)n, s.runs * (size_t)(i + 1) / (size_t)n, SC_OK};
    if (i > 0) parts[i].scorer = sc_scorer_new(scorer->model, scorer->task, featurizer, scorer->best.most);
    ok &= parts[i].scorer != NULL;
  }
  sc_status status = ok ? run_parts(parts, n) : SC_NOMEM;
  if (status != SC_OK)
    sc_fail(err, status, ok ? "the space does not hold the schedules of its ranks" : "out of memory for a scan");
  for (int i = 1; i < n; i++) {
    if (status == SC_OK) sc_scorer_merge(scorer, parts[i].scorer);
    sc_scorer_free(parts[i].scorer);
  }
  return status;
}
