/* Look-ups and comparisons over the tables of an operator. */
#include <string.h>

#include "ir/operator.h"

const char *sc_operator_name(const sc_operator *op) { return op->name; }

static bool same(const char *name, const char *text, size_t len) {
  return strlen(name) == len && memcmp(name, text, len) == 0;
}

int sc_param_find(const sc_operator *op, const char *name, size_t len) {
  for (int i = 0; i < op->nparams; i++)
    if (same(op->param[i].name, name, len)) return i;
  return -1;
}

int sc_op_dim_find(const sc_operator *op, const char *name, size_t len) {
  for (int i = 0; i < op->ndims; i++)
    if (same(op->dim[i].name, name, len)) return i;
  return -1;
}

int sc_op_tensor_find(const sc_operator *op, const char *name, size_t len) {
  for (int i = 0; i < op->ntensors; i++)
    if (same(op->tensor[i].name, name, len)) return i;
  return -1;
}

bool sc_op_index_equal(const sc_op_index *a, const sc_op_index *b) {
  if (a->nterms != b->nterms) return false;
  for (int i = 0; i < a->nterms; i++) {
    const sc_op_term *x = &a->term[i], *y = &b->term[i];
    if (x->dim != y->dim || x->minus != y->minus || !sc_size_equal(&x->factor, &y->factor)) return false;
  }
  return true;
}

bool sc_op_access_equal(const sc_op_access *a, const sc_op_access *b) {
  if (a->tensor != b->tensor) return false;
  for (int i = 0; i < SC_MAX_AXES; i++)
    if (!sc_op_index_equal(&a->index[i], &b->index[i])) return false;
  return true;
}

bool sc_op_index_is_bare(const sc_op_index *index) {
  return index->nterms == 1 && index->term[0].dim >= 0 && index->term[0].factor.n == 0;
}

sc_layout sc_layout_plain(int naxes) {
  sc_layout layout = {.nparts = (uint8_t)naxes};
  for (int i = 0; i < naxes; i++) layout.part[i] = (sc_part){.axis = (uint8_t)i, .kind = SC_PART_WHOLE};
  return layout;
}
