/* The shards of a dataset as text, JSON and a picture. */
#include <math.h>
#include <time.h>

#include "tools/shards.h"

static void put_json(sc_str *out, const shard_facts *s) {
  json_item(out);
  sc_str_add(out, "{");
  json_text(out, "shard", s->name);
  json_real(out, "begin_unix_s", (double)s->first_ns * 1e-9);
  json_real(out, "seconds", (double)(s->last_ns - s->first_ns) * 1e-9);
  json_count(out, "tasks", s->tasks);
  json_count(out, "rows", s->rows);
  json_count(out, "failed", s->failed);
  json_count(out, "visits", s->visits);
  json_count(out, "drifted", s->drifted);
  json_count(out, "busy", s->busy);
  json_real(out, "agreement_top1", s->agreement);
  sc_str_add(out, "}");
}

static void put_line(sc_str *out, const shard_facts *s) {
  char date[32];
  struct tm tm;
  const time_t begin = (time_t)(s->first_ns / 1000000000);
  strftime(date, sizeof date, "%Y-%m-%d %H:%M", gmtime_r(&begin, &tm));
  sc_str_printf(out, "%s %5.0f %5zu %6zu %6zu %7zu %7zu %6zu ", date, (double)(s->last_ns - s->first_ns) * 1e-9 / 60,
                s->tasks, s->rows, s->failed, s->visits, s->drifted, s->busy);
  sc_str_printf(out, isnan(s->agreement) ? "        -\n" : "%9.3f\n", s->agreement);
}

static sc_status draw(tool *t, const shard_facts *s, size_t n, const char *path) {
  sc_str p = {0};
  double least = 0.99;
  sc_str_add(&p, "$s << EOD\n");
  for (size_t i = 0; i < n; i++) {
    if (s[i].agreement < least) least = s[i].agreement;
    sc_str_printf(&p, "%zu %.4f %.4f\n", i + 1, s[i].agreement,
                  s[i].visits ? (double)(s[i].drifted + s[i].busy) / (double)s[i].visits : 0);
  }
  sc_str_add(&p, "EOD\nset terminal pngcairo size 900,500 font 'sans,12'\nset output ");
  picture_quote(&p, path);
  sc_str_printf(&p, "\nset yrange [%.3f:1]\nset xrange [0:%zu]", least, n + 1);
  sc_str_add(&p,
             "\nset xlabel 'shard'\nset ylabel 'agreement of labels, top-1'\nset y2label 'share of visits disturbed'\n"
             "set y2range [0:1]\nset y2tics\nset ytics nomirror\nset grid\nset key bottom left\n"
             "plot $s using 1:2 with linespoints pt 7 title 'agreement', "
             "$s using 1:3 axes x1y2 with impulses lw 3 title 'disturbed'\n");
  return picture_run(t, &p);
}

sc_status shards_report(tool *t, const sc_dataset *dataset, bool json, const char *picture) {
  shard_facts *s;
  size_t n;
  SC_TRY(shards_collect(t, dataset, &s, &n));
  sc_str_add(&t->out, json ? "[" : "begin (UTC)        min tasks   rows failed  visits drifted   busy agreement\n");
  for (size_t i = 0; i < n; i++) (json ? put_json : put_line)(&t->out, &s[i]);
  if (json) sc_str_add(&t->out, "]\n");
  return picture ? draw(t, s, n, picture) : SC_OK;
}
