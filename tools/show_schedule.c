/* show-sched --dump: schedule, nest, kernels, features, analytic time and C of every schedule of a file. */
#include <string.h>

#include "tools/show.h"

struct dump {
  const struct show_options *o;
  platform *p;
  sc_target target;
  sc_nest nest; /* of the schedule shown now */
};

static sc_status dump_schedule(tool *t, const struct dump *d, const job *j, sc_str *out) {
  sc_schedule_print(j->task, &j->schedule, out);
  sc_str_add(out, "\n");
  return SC_OK;
}

static sc_status dump_nest(tool *t, const struct dump *d, const job *j, sc_str *out) {
  sc_nest_print(j->task, &d->nest, out);
  return SC_OK;
}

static sc_status dump_kernels(tool *t, const struct dump *d, const job *j, sc_str *out) {
  enum { MOST = 64 };
  sc_kernel *kernel = sc_arena_alloc(t->arena, MOST, sizeof *kernel);
  if (!kernel) return sc_fail(&t->err, SC_NOMEM, "no memory for kernels");
  int n = sc_nest_kernels(j->task, &d->nest, kernel, MOST);
  const sc_compiler *compiler = sc_machine_compiler(&d->p->machine, j->schedule.compile);
  for (int i = 0; i < n && i < MOST; i++) {
    char symbol[32];
    const sc_kernel_fact *fact = NULL;
    sc_kernel_symbol(&kernel[i], symbol);
    sc_str_printf(out, "%s ", symbol);
    sc_kernel_print(&kernel[i], false, out);
    if (compiler)
      fact = sc_kernel_table_find(d->p->kernels, sc_kernel_hash(&kernel[i], true), sc_compiler_hash(compiler));
    if (fact && fact->measured)
      sc_str_printf(out, "  # %.4g ns + %.4g ns a trip", (double)fact->first_ns, (double)fact->slope_ns);
    sc_str_add(out, "\n");
  }
  return SC_OK;
}

static sc_status dump_features(tool *t, const struct dump *d, const job *j, sc_str *out) {
  float row[SC_FEATURE_COUNT];
  sc_features(j->task, &d->nest, &d->target, row);
  for (int i = 0; i < SC_FEATURE_COUNT; i++) {
    const sc_feature_info *f = sc_feature_at(i);
    /* A logarithm as a float keeps five digits of the value: more would show 9 as 8.99999. */
    const int digits = strcmp(f->transform, "log2") == 0 ? 5 : 6;
    sc_str_printf(out, "%-28s %12.*g  %s\n", f->name, digits, sc_feature_value(i, row[i]), f->unit);
  }
  return SC_OK;
}

static sc_status dump_analytic(tool *t, const struct dump *d, const job *j, sc_str *out) {
  sc_analytic a;
  sc_analytic_time(j->task, &d->nest, &d->target, NULL, &a);
  const struct {
    const char *name;
    double s;
  } part[] = {{"compute", a.compute_s},
              {"kernel", a.kernel_s},
              {"l1", a.l1_s},
              {"l2", a.l2_s},
              {"l3", a.l3_s},
              {"memory", a.memory_s},
              {"conflict", a.conflict_s},
              {"pack", a.pack_s},
              {"overhead", a.overhead_s},
              {"time", a.time_s}};
  for (size_t i = 0; i < SC_COUNT_OF(part); i++) {
    sc_str_printf(out, "%-10s ", part[i].name);
    sc_str_time(out, part[i].s);
    sc_str_add(out, "\n");
  }
  sc_str_printf(out, "kernels with measured rates: %.0f %% of the work\n", (double)a.known * 100);
  return SC_OK;
}

static sc_status dump_c(tool *t, const struct dump *d, const job *j, sc_str *out) {
  char name[64];
  emit_name(j->task, &d->nest, name, sizeof name);
  return sc_emit_c(j->task, &j->schedule, &d->nest, &d->p->machine, name, NULL, out, &t->err);
}

static const struct {
  const char *name;
  sc_status (*dump)(tool *t, const struct dump *d, const job *j, sc_str *out);
  bool compiled; /* asks what the schedule is compiled with */
} parts[] = {{"schedule", dump_schedule, false}, {"nest", dump_nest, false},        {"kernels", dump_kernels, true},
             {"features", dump_features, true},  {"analytic", dump_analytic, true}, {"c", dump_c, true}};

/* Bits of `parts`. */
static sc_status parse_parts(tool *t, const char *text, unsigned *wanted) {
  *wanted = 0;
  if (!*text) return tool_usage(t, "--dump wants one part at least");
  for (const char *p = text; *p; p += *p == ',') {
    size_t len = strcspn(p, ","), i = 0;
    while (i < SC_COUNT_OF(parts) && !(strlen(parts[i].name) == len && memcmp(parts[i].name, p, len) == 0)) i++;
    if (i == SC_COUNT_OF(parts)) return tool_usage(t, "--dump does not know '%.*s'", (int)len, p);
    *wanted |= 1u << i;
    p += len;
  }
  return SC_OK;
}

static bool asks_for_compiler(unsigned wanted) {
  for (size_t i = 0; i < SC_COUNT_OF(parts); i++)
    if (wanted >> i & 1 && parts[i].compiled) return true;
  return false;
}

static sc_status show_job(tool *t, struct dump *d, const job *j, unsigned wanted, size_t number) {
  sc_str part = {0}, *out = &t->out;
  sc_status status = SC_OK;
  int threads = d->o->threads ? (int)d->o->threads : (int)d->p->machine.cores.value;
  job_nest(j, &d->nest);
  d->target = (sc_target){&d->p->machine, d->p->kernels, j->schedule.nparallel ? threads : 1};
  if (d->o->json) {
    json_item(out);
    sc_str_add(out, "{");
    json_text(out, "task", j->task->text);
    json_hash(out, "nest_hash", sc_nest_hash(j->task, &d->nest));
  } else {
    sc_str_printf(out, "%s# schedule %zu of %s, nest %016llx\n", number ? "\n" : "", number, j->task->text,
                  (unsigned long long)sc_nest_hash(j->task, &d->nest));
  }
  for (size_t i = 0; i < SC_COUNT_OF(parts) && status == SC_OK; i++) {
    if (!(wanted >> i & 1)) continue;
    sc_str_clear(&part);
    status = parts[i].dump(t, d, j, &part);
    if (d->o->json) json_text(out, parts[i].name, sc_str_text(&part));
    else sc_str_printf(out, "# ---- %s\n%s", parts[i].name, sc_str_text(&part));
  }
  if (d->o->json) sc_str_add(out, "}");
  sc_str_free(&part);
  return status;
}

sc_status show_schedules(tool *t, const struct show_options *o, const char *where, const char *text, size_t len) {
  job_list jobs = {0};
  platform p = {0};
  struct dump d = {.o = o, .p = &p};
  unsigned wanted;
  SC_TRY(parse_parts(t, o->dump ? o->dump : "schedule,nest", &wanted));
  sc_status status = jobs_parse(t, where, text, len, &jobs);
  if (status == SC_OK && !jobs.n) status = sc_fail(&t->err, SC_PARSE, "no schedule in %s", where);
  if (status == SC_OK) status = platform_open(t, o->machine, &p);
  if (status == SC_OK && asks_for_compiler(wanted)) status = jobs_compilers(t, &jobs, &p.machine);
  if (status == SC_OK && o->json) sc_str_add(&t->out, "[");
  for (size_t i = 0; i < jobs.n && status == SC_OK; i++) {
    status = show_job(t, &d, &jobs.job[i], wanted, i);
    if (status == SC_OK && t->out.len > 1 << 16 && !o->json) status = tool_flush(t);
  }
  if (status == SC_OK && o->json) sc_str_add(&t->out, "]\n");
  platform_close(&p);
  jobs_free(&jobs);
  return status;
}
