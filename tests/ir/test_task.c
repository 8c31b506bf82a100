/* Tasks: canonical text and dims, equal hashes for equal work, group keys, padded axes, the derived fields of accesses
 * against brute force, and where each error points. */
#include "tests/ir/convolutions.h"

/* ---- text ---- */

static void test_text(void **state) {
  static const struct {
    const char *given, *canonical;
  } texts[] = {
      {"matmul:K=6,N=5,M=4", "matmul:M=4,N=5,K=6"},
      {" matmul : M = 4 , N=5,K=6,B=1,layout=KN,type=f32 # note", "matmul:M=4,N=5,K=6"},
      {"matmul:M=4,N=5,K=6,epilogue=relu,B=2,layout=NK", "matmul:B=2,M=4,N=5,K=6,layout=NK,epilogue=relu"},
      {"conv2d:S=3,R=3,pad=1,H=56,W=56,K=64,C=64,groups=1", "conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1"},
      {"conv2d:H=9,W=9,C=1,K=1,R=3,S=3,stride=2,stride_h=2,stride_w=1",
       "conv2d:H=9,W=9,C=1,K=1,R=3,S=3,stride=2,stride_w=1"},
      {"conv2d:H=9,W=9,C=1,K=1,R=3,S=3,pad_top=1,pad_bottom=1,pad_left=0", "conv2d:H=9,W=9,C=1,K=1,R=3,S=3,pad_top=1"},
  };
  for (size_t i = 0; i < SC_COUNT_OF(texts); i++) {
    const sc_task *task = task_of(texts[i].given);
    assert_string_equal(task->text, texts[i].canonical);
    assert_string_equal(task_of(task->text)->text, task->text);
    assert_true(task_of(task->text)->hash == task->hash);
  }
}

/* ---- canonical dims ---- */

static void print_dims(const sc_task *task, sc_str *out) {
  for (int d = 0; d < task->ndims; d++) {
    const sc_dim *dim = &task->dim[d];
    assert_int_equal(task->reduce >> d & 1, dim->reduce);
    assert_int_equal(sc_task_dim(task, dim->name, strlen(dim->name)), d);
    if (dim->size > 1)
      sc_str_printf(out, "%s%s=%d%s", out->len ? " " : "", dim->name, dim->size, dim->reduce ? "r" : "");
  }
}

static void test_dims(void **state) {
  static const struct {
    const char *text, *dims; /* of more than one element */
  } cases[] = {
      {"matmul:M=4,N=5,K=6", "i=4 j=5 k=6r"},
      {"matmul:B=3,M=4,N=5,K=6", "b=3 i=4 j=5 k=6r"},
      {"conv2d:H=8,W=9,C=4,K=5,R=3,S=2", "p=6 q=8 k=5 r=3r s=2r c=4r"},
      {"conv2d:H=8,W=9,C=4,K=5,R=1,S=1", "q=72 k=5 c=4r"},
      {"conv2d:N=2,H=8,W=9,C=4,K=5,R=1,S=1", "q=144 k=5 c=4r"},
      {"conv2d:N=2,H=8,W=9,C=4,K=5,R=1,S=1,layout=NCHW", "n=2 q=72 k=5 c=4r"},
      {"conv2d:N=2,H=8,W=9,C=4,K=5,R=1,S=1,layout=NCHWc4", "n=2 q=72 k=5 c=4r"},
      {"conv2d:N=2,H=8,W=9,C=4,K=5,R=1,S=1,epilogue=bias_relu", "q=144 k=5 c=4r"},
      {"conv2d:H=8,W=8,C=4,K=5,R=1,S=1,stride=2", "p=4 q=4 k=5 c=4r"},
      {"conv2d:H=8,W=8,C=4,K=5,R=1,S=1,pad=1", "p=10 q=10 k=5 c=4r"},
      {"conv2d:N=2,H=8,W=8,C=4,K=5,R=1,S=3,pad_left=1",
       "p=16 q=8 k=5 s=3r c=4r"}, /* no window along H: n and p are one */
      {"conv2d:H=3,W=3,C=4,K=5,R=3,S=3", "k=5 c=36r"}, /* one window over the whole image */
      {"conv2d:H=3,W=3,C=4,K=5,R=3,S=3,layout=NCHW", "k=5 s=36r"},
      {"conv2d:H=4,W=4,C=4,K=4,R=1,S=1,groups=2", "q=16 g=2 k=2 c=2r"},
      {"depthwise:N=2,H=5,W=6,C=7,R=1,S=1", "q=60 c=7"},
      {"depthwise:N=2,H=5,W=6,C=7,R=1,S=1,layout=NCHW", "n=2 q=30 c=7"},
  };
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    sc_str dims = {0};
    print_dims(task_of(cases[i].text), &dims);
    if (strcmp(dims.text, cases[i].dims) != 0) fail_msg("%s has %s", cases[i].text, dims.text);
    sc_str_free(&dims);
  }
  const sc_task *task = task_of("conv2d:N=2,H=8,W=9,C=4,K=5,R=1,S=1");
  assert_int_equal(task->npads, 0);
  assert_int_equal(sc_task_dim(task, "p", 1), 1); /* merged away, still a name */
  assert_int_equal(sc_task_dim(task, "pq", 2), -1);
  assert_int_equal(task->dim[1].size, 1);
  assert_int_equal(task->tensor[0].shape[1], 1);
  assert_int_equal(task->tensor[0].shape[2], 144);
  assert_true(task->flop == 2.0 * 144 * 5 * 4);
  assert_true(sc_task_min_bytes(task) == 4.0 * (144 * 4 + 4 * 5 + 144 * 5));
}

/* What the rest relies on: the contraction first, its accesses in order, the result shared by the epilogue. */
static void test_statements(void **state) {
  const sc_task *task = task_of("conv2d:H=5,W=5,C=4,K=5,R=3,S=3,pad=1,epilogue=bias");
  assert_int_equal(task->nstmts, 2);
  assert_int_equal(task->naccesses, 4);
  assert_string_equal(task->tensor[task->access[0].tensor].name, "Y");
  assert_string_equal(task->tensor[task->access[1].tensor].name, "X");
  assert_string_equal(task->tensor[task->access[2].tensor].name, "W");
  assert_string_equal(task->tensor[task->access[3].tensor].name, "bias");
  assert_int_equal(task->stmt[0].lhs, 0);
  assert_int_equal(task->stmt[0].update, SC_ADD_TO);
  assert_int_equal(task->stmt[1].lhs, 0);
  assert_int_equal(task->stmt[1].update, SC_ASSIGN); /* Y += bias is Y = Y + bias */
  assert_int_equal(task->stmt[1].nexpr, 3);
  assert_int_equal(task->stmt[1].expr[0].access, 0);
  assert_int_equal(task->stmt[1].expr[1].access, 3);
  assert_int_equal(task->stmt[1].expr[2].kind, SC_EXPR_ADD);
  assert_true(task->tensor[task->access[2].tensor].constant && !task->tensor[task->access[1].tensor].constant);
  assert_int_equal(task_of("matmul:M=4,N=5,K=6")->ntensors, 3); /* no bias where nothing reads it */
}

/* ---- hash and group key ---- */

static void test_hash(void **state) {
  static const char *const equal[][3] = {
      {"conv2d:H=56,W=56,C=64,K=32,R=1,S=1", "matmul:M=3136,N=32,K=64", "conv2d:H=28,W=112,C=64,K=32,R=1,S=1"},
      {"conv2d:H=3,W=3,C=4,K=5,R=3,S=3", "matmul:M=1,N=5,K=36", "conv2d:H=3,W=3,C=4,K=5,R=3,S=3,stride=2"},
      {"conv2d:H=7,W=7,C=9,K=9,R=3,S=3,pad=1,groups=9", "depthwise:H=7,W=7,C=9,R=3,S=3,pad=1",
       "depthwise:C=9,W=7,H=7,R=3,S=3,pad_top=1,pad_left=1"},
      {"conv2d:H=7,W=7,C=9,K=9,R=3,S=3,groups=9,layout=NCHW", "depthwise:H=7,W=7,C=9,R=3,S=3,layout=NCHW",
       "depthwise:N=1,H=7,W=7,C=9,R=3,S=3,layout=NCHW"},
      {"conv2d:H=6,W=6,C=8,K=5,R=1,S=1,epilogue=bias_relu,type=u8", "matmul:M=36,N=5,K=8,epilogue=bias_relu,type=u8",
       "conv2d:H=4,W=9,C=8,K=5,R=1,S=1,epilogue=bias_relu,type=u8"},
      {"conv2d:H=6,W=6,C=8,K=1,R=1,S=1,layout=NCHW", "conv2d:H=4,W=9,C=8,K=1,R=1,S=1,layout=NCHW",
       "conv2d:H=3,W=12,C=8,K=1,R=1,S=1,layout=NCHW"},
  };
  static const char *const different[] = {
      "matmul:M=4,N=5,K=6",
      "matmul:M=5,N=4,K=6",
      "matmul:M=4,N=6,K=5",
      "matmul:M=4,N=5,K=6,type=f16",
      "matmul:M=4,N=5,K=6,layout=NK",
      "matmul:M=4,N=5,K=6,weights=run",
      "matmul:M=4,N=5,K=6,epilogue=relu",
      "matmul:M=4,N=5,K=6,epilogue=bias",
      "matmul:M=4,N=5,K=6,epilogue=relu6",
      "matmul:B=2,M=4,N=5,K=6",
      "conv2d:H=7,W=7,C=9,K=9,R=3,S=3",
      "conv2d:H=7,W=7,C=9,K=9,R=3,S=3,dil=2",
      "conv2d:H=7,W=7,C=9,K=9,R=3,S=3,pad=1",
      "conv2d:H=7,W=7,C=9,K=9,R=3,S=3,pad_top=1",
      "conv2d:H=7,W=7,C=9,K=9,R=3,S=3,pad_bottom=1,pad_top=0",
      "conv2d:H=7,W=7,C=9,K=9,R=3,S=3,stride=2",
      "conv2d:H=8,W=8,C=9,K=9,R=3,S=3,stride=2",
      "conv2d:H=7,W=7,C=9,K=9,R=3,S=3,layout=NCHWc8",
      "conv2d:H=7,W=7,C=9,K=9,R=3,S=3,layout=NCHWc16",
      "depthwise:H=7,W=7,C=9,R=3,S=3",
  };
  for (size_t i = 0; i < SC_COUNT_OF(equal); i++)
    for (int k = 1; k < 3; k++)
      if (task_of(equal[i][0])->hash != task_of(equal[i][k])->hash) fail_msg("%s and %s", equal[i][0], equal[i][k]);
  for (size_t i = 0; i < SC_COUNT_OF(different); i++)
    for (size_t k = 0; k < i; k++)
      if (task_of(different[i])->hash == task_of(different[k])->hash) fail_msg("%s and %s", different[i], different[k]);
}

static void check_key(const char *text, const char *key) {
  sc_str out = {0};
  sc_task_group_key(task_of(text), &out);
  if (strcmp(out.text, key) != 0) fail_msg("%s has the group key %s, not %s", text, out.text, key);
  sc_str_free(&out);
}

static void test_group_key(void **state) {
  static const char *const cases[][2] = {
      {"matmul:M=128,N=64,K=32", "matmul:M=64,N=128,K=32"},
      {"matmul:M=64,N=128,K=32", "matmul:M=64,N=128,K=32"},
      {"matmul:B=12,M=64,N=128,K=32,weights=run", "matmul:B=12,M=64,N=128,K=32"},
      {"matmul:M=1,N=1,K=1", "matmul"},
      {"conv2d:N=2,H=8,W=8,C=32,K=64,R=1,S=1", "matmul:M=64,N=128,K=32"},
      {"conv2d:N=2,H=8,W=8,C=32,K=64,R=1,S=1,layout=NCHW,type=i8", "matmul:M=64,N=128,K=32"},
      {"conv2d:N=2,H=8,W=8,C=32,K=64,R=1,S=1,layout=NCHWc16,epilogue=bias", "matmul:M=64,N=128,K=32"},
      {"conv2d:H=5,W=5,C=32,K=64,R=5,S=5,layout=NCHWc8", "matmul:N=64,K=800"},
      {"conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1", "conv:N=64,K=64,window=56x3/1/1+1+1,window=56x3/1/1+1+1"},
      {"conv2d:H=20,W=30,C=2,K=6,R=3,S=1", "conv:M=30,N=6,K=2,window=18x3/1/1+0+0"},
      {"conv2d:H=30,W=20,C=2,K=6,R=1,S=3", "conv:M=30,N=6,K=2,window=18x3/1/1+0+0"},
      {"conv2d:H=9,W=20,C=2,K=6,R=3,S=5,stride_h=2,dil_w=2,pad_left=4",
       "conv:N=6,K=2,window=4x3/2/1+0+0,window=20x5/1/2+4+4"},
      {"conv2d:H=20,W=9,C=2,K=6,R=5,S=3,stride_w=2,dil_h=2,pad_top=4",
       "conv:N=6,K=2,window=4x3/2/1+0+0,window=20x5/1/2+4+4"},
      {"conv2d:H=8,W=8,C=6,K=4,R=1,S=1,stride=2", "conv:N=4,K=6,window=4x1/2/1+0+0,window=4x1/2/1+0+0"},
      {"conv2d:H=7,W=7,C=6,K=4,R=1,S=1,stride=2",
       "conv:N=4,K=6,window=4x1/2/1+0+0,window=4x1/2/1+0+0"}, /* a row more or less is not read */
      {"depthwise:N=3,H=8,W=8,C=6,R=3,S=3,pad=1", "conv:B=6,M=3,window=8x3/1/1+1+1,window=8x3/1/1+1+1"},
      {"conv2d:N=3,H=8,W=8,C=6,K=6,R=3,S=3,pad=1,groups=6", "conv:B=6,M=3,window=8x3/1/1+1+1,window=8x3/1/1+1+1"},
      {"conv2d:H=8,W=8,C=6,K=6,R=3,S=3,groups=2", "conv:B=2,N=3,K=3,window=6x3/1/1+0+0,window=6x3/1/1+0+0"},
  };
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) check_key(cases[i][0], cases[i][1]);
}

/* Type, layout, epilogue and H against W make no difference. */
static void test_group_key_invariance(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 6, 0);
  for (int i = 0; i < 500; i++) {
    conv c = random_conv(&rng);
    char text[400];
    sc_str key = {0};
    sc_task_group_key(task_of(c.text), &key);
    int n = snprintf(text, sizeof text, "%s:N=%d,H=%d,W=%d,C=%d,R=%d,S=%d,", c.depthwise ? "depthwise" : "conv2d", c.N,
                     c.W, c.H, c.G * c.C, c.S, c.R);
    if (!c.depthwise) n += snprintf(text + n, sizeof text - (size_t)n, "K=%d,groups=%d,", c.G * c.K, c.G);
    snprintf(text + n, sizeof text - (size_t)n,
             "stride_h=%d,stride_w=%d,dil_h=%d,dil_w=%d,pad_top=%d,pad_left=%d,pad_bottom=%d,pad_right=%d,weights=run",
             c.stride_w, c.stride_h, c.dil_w, c.dil_h, c.left, c.top, c.right, c.bottom);
    check_key(text, key.text);
    sc_str_free(&key);
  }
}

/* ---- accesses against brute force ---- */

/* The address from the derived fields alone. */
static int64_t derived_address(const sc_task *task, const sc_access *access, const int32_t *values) {
  const sc_tensor *tensor = &task->tensor[access->tensor];
  int64_t address = access->origin;
  for (int d = 0; d < task->ndims; d++) address += access->stride[d] * values[d];
  for (int a = 0; a < tensor->naxes; a++) {
    int block = tensor->layout.block[a];
    int64_t x = access->axis[a].offset;
    for (int i = 0; i < 2; i++)
      if (access->axis[a].dim[i] >= 0) x += (int64_t)access->axis[a].coef[i] * values[access->axis[a].dim[i]];
    if (block) address += x / block * access->outer_stride[a] + x % block * access->inner_stride[a];
  }
  return address;
}

static bool step(const sc_task *task, int32_t *values, unsigned dims) {
  for (int d = task->ndims - 1; d >= 0; d--) {
    if (!(dims >> d & 1)) continue;
    if (++values[d] < task->dim[d].size) return true;
    values[d] = 0;
  }
  return false;
}

/* Walks all values of the dims of one access: addresses agree and lie inside; the axes that leave the tensor are those
 * listed as padded; dims that it does not mention have no stride. */
static void check_access(const sc_task *task, int number, const char *text) {
  const sc_access *access = &task->access[number];
  const sc_tensor *tensor = &task->tensor[access->tensor];
  int32_t values[SC_MAX_DIMS] = {0};
  unsigned leaves = 0, padded = 0;
  do {
    unsigned outside = 0;
    for (int a = 0; a < tensor->naxes; a++) {
      const sc_index *index = &access->axis[a];
      int64_t x = index->offset;
      for (int i = 0; i < 2; i++)
        if (index->dim[i] >= 0) x += (int64_t)index->coef[i] * values[index->dim[i]];
      if (x < 0 || x >= tensor->shape[a]) outside |= 1u << a;
    }
    int64_t address = -1;
    assert_true(sc_access_address(task, access, values, &address) == (outside == 0));
    leaves |= outside;
    if (outside) continue;
    if (address != derived_address(task, access, values)) fail_msg("%s: access %d", text, number);
    assert_true(address >= 0 && address < tensor->elems);
  } while (step(task, values, access->dims));
  for (int i = 0; i < task->npads; i++) {
    const sc_pad *pad = &task->pad[i];
    if (pad->access != number) continue;
    const sc_index *index = &access->axis[pad->axis];
    padded |= 1u << pad->axis;
    assert_true(pad->free == index->dim[0] && pad->red == index->dim[1] && pad->offset == index->offset);
    assert_true(pad->cf == index->coef[0] && pad->cr == index->coef[1] && pad->size == tensor->shape[pad->axis]);
    assert_true(pad->free >= 0 && !task->dim[pad->free].reduce && (pad->red < 0 || task->dim[pad->red].reduce));
  }
  assert_int_equal(leaves, padded);
  for (int d = 0; d < task->ndims; d++)
    if (!(access->dims >> d & 1)) assert_true(access->stride[d] == 0);
}

/* Every element of the result has an address of its own. */
static void check_result(const sc_task *task) {
  const sc_access *access = &task->access[0];
  int64_t elems = task->tensor[access->tensor].elems, address, logical = 1, seen = 0;
  for (int a = 0; a < task->tensor[access->tensor].naxes; a++) logical *= task->tensor[access->tensor].shape[a];
  int32_t values[SC_MAX_DIMS] = {0};
  uint8_t *hit = calloc(1, (size_t)elems);
  do {
    assert_true(sc_access_address(task, access, values, &address));
    assert_int_equal(hit[address], 0);
    hit[address] = 1;
    seen++;
  } while (step(task, values, access->dims));
  assert_int_equal(seen, logical);
  free(hit);
}

static void test_accesses(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 7, 0);
  for (int i = 0; i < 600; i++) {
    conv c = random_conv(&rng);
    const sc_task *task = task_of(c.text);
    for (int k = 0; k < task->naccesses; k++) check_access(task, k, c.text);
    check_result(task);
  }
}

/* The largest strides that are allowed do not overflow. */
static void test_largest(void **state) {
  const sc_task *task = task_of(
      "conv2d:H=2,W=1048576,C=524288,K=1,R=1,S=1,stride=1048576,pad_top=1048575,pad_left=1048576,pad_bottom=1048576");
  assert_true(task->access[1].stride[1] == (int64_t)1 << 59);
  assert_true(task->access[1].origin == -((int64_t)1048575 << 39) - ((int64_t)1 << 39));
}

/* ---- errors ---- */

static const struct {
  const char *text;
  sc_status status;
  int column;
  const char *message;
} errors[] = {
    {"", SC_PARSE, 1, "expected a name, found the end of the text"},
    {"matmull:M=1", SC_NOTFOUND, 1, "there is no operator 'matmull'; there are conv2d, depthwise, matmul"},
    {"matmul", SC_PARSE, 1, "size 'M' of operator matmul is missing"},
    {"matmul:", SC_PARSE, 8, "expected the name of a parameter, found the end of the text"},
    {"matmul M=1", SC_PARSE, 8, "expected ',' and another parameter, or the end, found 'M'"},
    {"matmul:M=1,N=2,", SC_PARSE, 16, "expected the name of a parameter, found the end of the text"},
    {"matmul:M=1,N=2", SC_PARSE, 1, "size 'K' of operator matmul is missing"},
    {"matmul:M=1,N=2,L=3", SC_PARSE, 16,
     "operator matmul has no parameter 'L'; it takes B, M, N, K, type, layout, weights, epilogue"},
    {"matmul:M=1,N=2,M=3", SC_PARSE, 16, "'M' is given twice"},
    {"matmul:M", SC_PARSE, 9, "expected '=', found the end of the text"},
    {"matmul:M=", SC_PARSE, 10, "expected an integer from 1 to 1073741824, found the end of the text"},
    {"matmul:M=0,N=2,K=3", SC_PARSE, 10, "expected an integer from 1 to 1073741824, found 0"},
    {"matmul:M=-4,N=2,K=3", SC_PARSE, 10, "expected an integer from 1 to 1073741824, found -4"},
    {"matmul:M=x", SC_PARSE, 10, "expected an integer from 1 to 1073741824, found 'x'"},
    {"matmul:M=99999999999999999999", SC_LIMIT, 10, "the number '99999999999999999999' is too large"},
    {"matmul:M=1,N=2,K=3,type=f64", SC_PARSE, 25, "expected one of f32, f16, i8, u8, i32 for 'type'"},
    {"matmul:M=1,N=2,K=3,type=3", SC_PARSE, 25, "expected one of f32, f16, i8, u8, i32 for 'type'"},
    {"matmul:M=1,N=2,K=3;", SC_PARSE, 19, "expected ',' and another parameter, or the end, found ';'"},
    {"matmul:M=1048577,N=1048576,K=1", SC_LIMIT, 1, "tensor 'C' has more than 2^40 elements"},
    {"matmul:M=1048576,N=1048576,K=1025", SC_LIMIT, 1,
     "the task has 1.13e+15 multiplications, at most 2^50 are allowed"},
    {"conv2d:H=3,W=3,C=1,K=1,R=4,S=3", SC_ILLEGAL, 8,
     "P = (H + pad_top + pad_bottom - dil_h*(R - 1) - 1)/stride_h + 1 is 0, expected 1 to 1073741824"},
    {"conv2d:H=3,W=3,C=1,K=1,R=2,S=3,dil=9,stride=2", SC_ILLEGAL, 8,
     "P = (H + pad_top + pad_bottom - dil_h*(R - 1) - 1)/stride_h + 1 is -3, expected 1 to 1073741824"},
    {"conv2d:H=3,W=3,C=1,K=1,R=3,S=4", SC_ILLEGAL, 12,
     "Q = (W + pad_left + pad_right - dil_w*(S - 1) - 1)/stride_w + 1 is 0, expected 1 to 1073741824"},
    {"conv2d:H=3,W=3,C=1,K=1,R=3,S=3,P=1", SC_PARSE, 32,
     "'P' is computed; operator conv2d takes N, H, W, C, K, R, S, stride, pad, dil, groups, stride_h, stride_w, dil_h, "
     "dil_w, pad_top, pad_left, pad_bottom, pad_right, type, layout, weights, epilogue"},
    {"conv2d:H=3,W=3,C=3,K=4,R=3,S=3,groups=2", SC_ILLEGAL, 16,
     "operator conv2d needs C%groups == 0, and the left side is 1, the right 0"},
    {"conv2d:H=3,W=3,C=4,K=3,R=3,S=3,groups=2", SC_ILLEGAL, 20,
     "operator conv2d needs K%groups == 0, and the left side is 1, the right 0"},
    {"conv2d:H=3,W=3,C=1,K=1,R=1,S=1,pad_top=3,pad_bottom=0,stride=9", SC_ILLEGAL, 1,
     "axis 1 of 'X' has indices 0 to 2, and is read only outside, from -3 to -3"},
    {"conv2d:H=3,W=3,C=1,K=1,R=1,S=1,pad=1073741824,pad_top=0", SC_LIMIT, 12,
     "Q = (W + pad_left + pad_right - dil_w*(S - 1) - 1)/stride_w + 1 is 2147483651, expected 1 to 1073741824"},
    {"conv2d:H=3,W=3,C=1,K=1,R=1,S=1,stride=1048577", SC_LIMIT, 1, "a factor of 'X' is 1048577, expected 1 to 1048576"},
    {"conv2d:H=3,W=3,C=1,K=1,R=1,S=1,pad_top=1048577", SC_LIMIT, 1,
     "an offset of 'X' is 1048577, expected 0 to 1048576"},
    {"conv2d:H=3,W=3,C=1,K=1,R=1,S=1,pad_top=0,pad_bottom=1048577", SC_LIMIT, 1,
     "axis 1 of 'X' is read 1048577 elements behind its end, at most 1048576 are allowed"},
};

static void test_errors(void **state) {
  for (size_t i = 0; i < SC_COUNT_OF(errors); i++) {
    const sc_task *task;
    sc_error err = {0};
    sc_status status = sc_task_parse(arena, library, errors[i].text, &task, &err);
    if (status != errors[i].status || err.status != status || err.line != 1 || err.column != errors[i].column ||
        strcmp(err.text, errors[i].message) != 0)
      fail_msg("%s: %s at %d: %s", errors[i].text, sc_status_name(status), err.column, err.text);
    assert_string_equal(err.source, errors[i].text);
    assert_int_equal(sc_task_parse(arena, library, errors[i].text, &task, NULL), status);
  }
}

/* Random damage to task texts: an error with its place, or a task that prints back. */
static void test_mutants(void **state) {
  static const char alphabet[] = ":,=-019NHWCKRSxp_ #.(";
  sc_rng rng;
  sc_rng_seed(&rng, 8, 0);
  int tasks = 0;
  for (int i = 0; i < 20000; i++) {
    sc_arena *own = sc_arena_new();
    conv c = random_conv(&rng);
    size_t len = strlen(c.text);
    for (int n = below(&rng, 4); n > 0; n--)
      c.text[sc_rng_below(&rng, len)] = alphabet[below(&rng, (int)sizeof alphabet - 1)];
    char *exact = malloc(len + 1);
    memcpy(exact, c.text, len + 1);
    const sc_task *task, *again;
    sc_error err = {0};
    if (sc_task_parse(own, library, exact, &task, &err) != SC_OK) {
      assert_int_equal(err.line, 1);
      assert_true(err.column >= 1 && (size_t)err.column <= len + 1);
      assert_true(err.text[0] != '\0');
    } else {
      tasks++;
      assert_int_equal(sc_task_parse(own, library, task->text, &again, &err), SC_OK);
      assert_string_equal(task->text, again->text);
      assert_true(task->hash == again->hash);
    }
    free(exact);
    sc_arena_free(own);
  }
  assert_true(tasks > 5000 && tasks < 15000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text),     cmocka_unit_test(test_dims),      cmocka_unit_test(test_statements),
      cmocka_unit_test(test_hash),     cmocka_unit_test(test_group_key), cmocka_unit_test(test_group_key_invariance),
      cmocka_unit_test(test_accesses), cmocka_unit_test(test_largest),   cmocka_unit_test(test_errors),
      cmocka_unit_test(test_mutants),
  };
  return cmocka_run_group_tests(tests, load_library, free_library);
}
