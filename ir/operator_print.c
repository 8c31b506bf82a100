/* Prints an operator in the one form of its text: parse(print(op)) == op. */
#include <string.h>

#include "ir/operator.h"

static void print_layout(const sc_op_tensor *tensor, const sc_layout *layout, sc_str *out) {
  sc_str_add(out, " as ");
  for (int i = 0; i < layout->nparts; i++) {
    const sc_part *part = &layout->part[i];
    sc_str_printf(out, "%s%s", i == 0 ? "[" : ", ", tensor->axis[part->axis]);
    if (part->kind != SC_PART_WHOLE)
      sc_str_printf(out, "%c%d", part->kind == SC_PART_OUTER ? '/' : '%', layout->block[part->axis]);
  }
  sc_str_add(out, "]");
}

/* One line a run of parameters of one kind; a `let` has a line of its own. */
static void print_params(const sc_operator *op, sc_str *out) {
  static const char *const words[] = {[SC_PARAM_SIZE] = "size", [SC_PARAM_NUMBER] = "number", [SC_PARAM_LET] = "let"};
  for (int i = 0; i < op->nparams && op->param[i].kind != SC_PARAM_CHOICE; i++) {
    const sc_param *param = &op->param[i];
    bool first = i == 0 || param->kind != op->param[i - 1].kind || param->kind == SC_PARAM_LET;
    if (first) sc_str_printf(out, "%s  %s", i > 0 ? "\n" : "", words[param->kind]);
    sc_str_printf(out, " %s", param->name);
    if (param->kind == SC_PARAM_LET) {
      sc_str_add(out, " = ");
      sc_size_print(op, &param->value, SC_PLACE_SUM, out);
    } else if (param->has_value) {
      sc_str_add(out, "=");
      sc_size_print(op, &param->value, SC_PLACE_SUM, out);
    }
  }
  if (op->nparams > 0 && op->param[0].kind != SC_PARAM_CHOICE) sc_str_add(out, "\n");
}

static void print_tensor(const sc_operator *op, const sc_op_tensor *tensor, sc_str *out) {
  static const char *const words[] = {[SC_IN] = "in", [SC_OUT] = "out", [SC_INOUT] = "inout"};
  sc_str_printf(out, "  %s %s", words[tensor->role], tensor->name);
  for (int i = 0; i < tensor->naxes; i++) {
    sc_str_add(out, i == 0 ? "[" : ", ");
    if (tensor->axis[i][0]) sc_str_printf(out, "%s:", tensor->axis[i]);
    sc_size_print(op, &tensor->size[i], SC_PLACE_SUM, out);
  }
  sc_str_printf(out, "] %s%s", sc_type_name(tensor->type), tensor->constant ? " const" : "");
  if (tensor->has_layout) print_layout(tensor, &tensor->layout, out);
  sc_str_add(out, "\n");
}

static void print_alternative(const sc_operator *op, int number, sc_str *out) {
  const char *separator = " ";
  sc_str_printf(out, "  | %s", op->alternative[number].name);
  for (int i = 0; i < op->nsettings; i++) {
    const sc_op_setting *set = &op->setting[i];
    if (set->alternative != number) continue;
    sc_str_printf(out, "%s%s", separator, op->tensor[set->tensor].name);
    if (set->has_type) sc_str_printf(out, " %s", sc_type_name(set->type));
    if (set->constant) sc_str_add(out, " const");
    if (set->has_layout) print_layout(&op->tensor[set->tensor], &set->layout, out);
    separator = ", ";
  }
  for (int i = 0; i < op->nstmts; i++) {
    if (op->stmt[i].alternative != number) continue;
    sc_str_add(out, separator);
    sc_op_stmt_print(op, &op->stmt[i], out);
    separator = ", ";
  }
  sc_str_add(out, "\n");
}

void sc_operator_print(const sc_operator *op, sc_str *out) {
  sc_str_printf(out, "op %s\n", op->name);
  print_params(op, out);
  for (int i = 0; i < op->nconditions; i++) {
    sc_str_add(out, "  require ");
    sc_op_condition_print(op, &op->condition[i], out);
    sc_str_add(out, "\n");
  }
  for (int d = 0; d < op->ndims; d++) {
    if (!op->dim[d].declared) continue;
    sc_str_printf(out, "  dim %s = ", op->dim[d].name);
    sc_size_print(op, &op->dim[d].size, SC_PLACE_SUM, out);
    sc_str_add(out, "\n");
  }
  for (int i = 0; i < op->ntensors; i++) print_tensor(op, &op->tensor[i], out);
  for (int i = 0; i < op->nstmts && op->stmt[i].alternative < 0; i++) {
    sc_str_add(out, "  ");
    sc_op_stmt_print(op, &op->stmt[i], out);
    sc_str_add(out, "\n");
  }
  for (int p = 0; p < op->nparams; p++) {
    if (op->param[p].kind != SC_PARAM_CHOICE) continue;
    sc_str_printf(out, "  choice %s\n", op->param[p].name);
    for (int i = 0; i < op->param[p].count; i++) print_alternative(op, op->param[p].first + i, out);
  }
}
