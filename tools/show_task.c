/* show-sched: a task with its canonical text, sizes, tensors, group. */
#include "tools/show.h"

sc_status show_task(tool *t, const sc_task *task, bool json) {
  sc_str group = {0}, *out = &t->out;
  sc_task_group_key(task, &group);
  if (json) {
    sc_str_add(out, "{");
    json_text(out, "task", task->text);
    json_hash(out, "hash", task->hash);
    json_text(out, "group", sc_str_text(&group));
    json_real(out, "flop", task->flop);
    json_real(out, "min_bytes", sc_task_min_bytes(task));
    json_key(out, "dims");
    sc_str_add(out, "{");
    for (int d = 0; d < task->ndims; d++) json_count(out, task->dim[d].name, (uint64_t)task->dim[d].size);
    sc_str_add(out, "}}\n");
  } else {
    sc_str_printf(out, "task %s\n# hash %016llx, group %s\n# %.6g MFLOP, at least ", task->text,
                  (unsigned long long)task->hash, sc_str_text(&group), task->flop * 1e-6);
    print_bytes(out, sc_task_min_bytes(task));
    sc_str_add(out, " moved\n#  ");
    for (int d = 0; d < task->ndims; d++)
      sc_str_printf(out, " %s=%d%s", task->dim[d].name, task->dim[d].size, task->dim[d].reduce ? " (reduction)" : "");
    sc_str_add(out, "\n");
    for (int i = 0; i < task->ntensors; i++) {
      const sc_tensor *x = &task->tensor[i];
      static const char *const roles[] = {"in", "out", "inout"};
      sc_str_printf(out, "#   %s %s[", roles[x->role], x->name);
      for (int a = 0; a < x->naxes; a++) sc_str_printf(out, "%s%d", a ? "," : "", x->shape[a]);
      sc_str_printf(out, "] %s%s\n", sc_type_name(x->type), x->constant ? " const" : "");
    }
  }
  sc_str_free(&group);
  return SC_OK;
}
