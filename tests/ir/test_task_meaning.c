/* What a task computes: the operator interpreter against loops written down here with addresses of their own, for
 * random convolutions and matrix products in every layout, type and epilogue, before and after the merging of dims;
 * f16. */
#include <math.h>

#include "ir/operator.h"
#include "tests/ir/convolutions.h"

static double get(const void *buffer, const char *type, long i) {
  if (strcmp(type, "f32") == 0) return ((const float *)buffer)[i];
  if (strcmp(type, "f16") == 0) return sc_f16_to_f32(((const uint16_t *)buffer)[i]);
  if (strcmp(type, "i8") == 0) return ((const int8_t *)buffer)[i];
  if (strcmp(type, "u8") == 0) return ((const uint8_t *)buffer)[i];
  return ((const int32_t *)buffer)[i];
}

static void put(void *buffer, const char *type, long i, double x) {
  if (strcmp(type, "f32") == 0) ((float *)buffer)[i] = (float)x;
  else if (strcmp(type, "f16") == 0) ((uint16_t *)buffer)[i] = sc_f32_to_f16((float)x);
  else ((int32_t *)buffer)[i] = (int32_t)x;
}

static const char *weight_type(const char *type) { return strcmp(type, "u8") == 0 ? "i8" : type; }

static const char *result_type(const char *type) { return type[0] == 'f' ? type : "i32"; }

static double epilogue(const char *name, double x, double bias) {
  if (strncmp(name, "bias", 4) == 0) x += bias;
  if (strstr(name, "relu")) x = fmax(x, 0);
  return strstr(name, "relu6") ? fmin(x, 6) : x;
}

static int tensor_named(const sc_task *task, const char *name) {
  for (int i = 0; i < task->ntensors; i++)
    if (strcmp(task->tensor[i].name, name) == 0) return i;
  return -1;
}

/* Runs the task on filled buffers; the result, also what fills up blocks, must be `expected`'s bytes, the inputs
 * unchanged. */
static void check_run(const sc_task *task, void **buffers, int result, const void *expected, const char *text) {
  void *before[SC_MAX_TENSORS];
  sc_error err;
  for (int i = 0; i < task->ntensors; i++) {
    size_t n = (size_t)task->tensor[i].elems * sc_type_bytes(task->tensor[i].type);
    before[i] = malloc(n);
    memcpy(before[i], i == result ? expected : buffers[i], n);
  }
  assert_int_equal(sc_run_operator(task, buffers, &err), SC_OK);
  for (int i = 0; i < task->ntensors; i++) {
    size_t n = (size_t)task->tensor[i].elems * sc_type_bytes(task->tensor[i].type);
    if (memcmp(before[i], buffers[i], n) != 0) fail_msg("%s: tensor %s", text, task->tensor[i].name);
    free(before[i]);
  }
}

/* ---- convolutions ---- */

static double conv_point(const conv *c, void **buffers, int x, int w, int n, int p, int q, int g, int k) {
  double sum = 0;
  for (int r = 0; r < c->R; r++)
    for (int s = 0; s < c->S; s++)
      for (int i = 0; i < c->C; i++) {
        int h = p * c->stride_h + r * c->dil_h - c->top, v = q * c->stride_w + s * c->dil_w - c->left;
        if (h < 0 || h >= c->H || v < 0 || v >= c->W) continue;
        sum += get(buffers[x], c->type, image_at(c, c->H, c->W, c->C, n, h, v, g, i)) *
               get(buffers[w], weight_type(c->type), weight_at(c, g, k, i, r, s));
      }
  return sum;
}

static void conv_by_hand(const conv *c, const sc_task *task, void **buffers, void *expected) {
  int x = tensor_named(task, "X"), w = tensor_named(task, "W"), b = tensor_named(task, "bias");
  for (int n = 0; n < c->N; n++)
    for (int p = 0; p < c->P; p++)
      for (int q = 0; q < c->Q; q++)
        for (int g = 0; g < c->G; g++)
          for (int k = 0; k < c->K; k++) {
            double bias = b >= 0 ? get(buffers[b], result_type(c->type), (long)g * c->K + k) : 0;
            double sum = conv_point(c, buffers, x, w, n, p, q, g, k);
            put(expected, result_type(c->type), image_at(c, c->P, c->Q, c->K, n, p, q, g, k),
                epilogue(c->epilogue, sum, bias));
          }
}

static void test_convolutions(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 3, 0);
  int merged = 0, padded = 0;
  for (int i = 0; i < 1500; i++) {
    conv c = random_conv(&rng);
    const sc_task *task = task_of(c.text);
    void *buffers[SC_MAX_TENSORS];
    buffers_new(task, buffers);
    sc_fill_buffers(task, buffers, (uint64_t)i);
    int y = tensor_named(task, "Y");
    size_t n = (size_t)task->tensor[y].elems * sc_type_bytes(task->tensor[y].type);
    void *expected = malloc(n);
    memcpy(expected, buffers[y], n);
    conv_by_hand(&c, task, buffers, expected);
    check_run(task, buffers, y, expected, c.text);
    for (int d = 0; d < task->ndims; d++)
      merged += strcmp(task->dim[d].name, "p") == 0 && task->dim[d].size == 1 && c.P > 1;
    padded += task->npads > 0;
    free(expected);
    buffers_free(task, buffers);
  }
  assert_true(merged > 100 && padded > 300);
}

/* ---- matrix products ---- */

static void test_matmuls(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 4, 0);
  for (int i = 0; i < 500; i++) {
    int B = 1 + below(&rng, 3), M = 1 + below(&rng, 12), N = 1 + below(&rng, 12), K = 1 + below(&rng, 12),
        transposed = below(&rng, 2);
    const char *type = type_names[below(&rng, 5)], *last = epilogues[below(&rng, 6)];
    char text[200];
    snprintf(text, sizeof text, "matmul:B=%d,M=%d,N=%d,K=%d,layout=%s,type=%s,epilogue=%s", B, M, N, K,
             transposed ? "NK" : "KN", type, last);
    const sc_task *task = task_of(text);
    void *buffers[SC_MAX_TENSORS];
    buffers_new(task, buffers);
    sc_fill_buffers(task, buffers, (uint64_t)i);
    int a = tensor_named(task, "A"), b = tensor_named(task, "B"), z = tensor_named(task, "bias"),
        c = tensor_named(task, "C");
    void *expected = malloc((size_t)task->tensor[c].elems * 4);
    for (int l = 0; l < B; l++)
      for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) {
          double sum = 0;
          for (int k = 0; k < K; k++)
            sum +=
                get(buffers[a], type, ((long)l * M + m) * K + k) *
                get(buffers[b], weight_type(type), transposed ? ((long)l * N + n) * K + k : ((long)l * K + k) * N + n);
          put(expected, result_type(type), ((long)l * M + m) * N + n,
              epilogue(last, sum, z >= 0 ? get(buffers[z], result_type(type), n) : 0));
        }
    check_run(task, buffers, c, expected, text);
    free(expected);
    buffers_free(task, buffers);
  }
}

/* Integer sums are taken modulo 2^32. */
static void test_wrapping(void **state) {
  enum { N = 7, K = 50 };
  const sc_task *task = task_of("matmul:M=1,N=7,K=50,type=i32");
  uint32_t a[K], b[K * N], c[N], expected[N] = {0};
  sc_rng rng;
  sc_rng_seed(&rng, 5, 0);
  for (int k = 0; k < K; k++) a[k] = (uint32_t)sc_rng_u64(&rng);
  for (int i = 0; i < K * N; i++) b[i] = (uint32_t)sc_rng_u64(&rng);
  for (int k = 0; k < K; k++)
    for (int n = 0; n < N; n++) expected[n] += a[k] * b[k * N + n];
  void *buffers[] = {a, b, c};
  check_run(task, buffers, 2, expected, task->text);
}

/* ---- operators of our own: accumulation into the result, saturation, shifted reads, one tensor read twice ---- */

static const char *const own_operators[] = {
    "op shift\n size A\n in X[a:A] i8\n in Y[A] i8\n inout R[A] i8\n R[i] += X[i + 2] * Y[i]\n",
    "op gram\n size A B\n in X[A, B] f32\n out R[A, A] f32\n R[i, j] += X[i, r] * X[j, r]\n R[i, j] = R[i, j] * R[i, "
    "j] - X[i, j]\n",
    "op square\n size A B\n in X[a:A, b:B] u8 as [b/4, a, b%4]\n out R[a:A, b:B] u8\n R[i, j] += X[i, j] * X[i, j]\n "
    "R[i, j] += 250\n",
    "op turned\n size A B\n in X[A + B - 1] i32\n in Y[B] i32\n out R[A] i32\n R[i] += X[r + i] * Y[r]\n",
    "op outer\n size A B\n in X[A, B] i32\n out R[A, B, B, A] i32\n R[i, j, l, k] += X[i, j] * X[k, l]\n",
};

static const sc_task *own_task(const sc_library *own, const char *text) {
  const sc_task *task = NULL;
  sc_error err;
  if (sc_task_parse(arena, own, text, &task, &err) != SC_OK) fail_msg("%s: %s", text, err.text);
  return task;
}

static void test_own_operators(void **state) {
  const sc_library *own = library_of(own_operators, SC_COUNT_OF(own_operators));
  int8_t x[] = {1, 2, 3, -4, 100}, y[] = {5, 60, 100, 8, 9}, r[] = {1, -2, 3, 4, 5}, sum[] = {16, -128, 127, 4, 5};
  check_run(own_task(own, "shift:A=5"), (void *[]){x, y, r}, 2, sum,
            "shift"); /* -2 - 4*60 and 3 + 100*100 are clamped */
  sc_error err;
  const sc_task *task;
  assert_int_equal(sc_task_parse(arena, own, "shift:A=2", &task, &err), SC_ILLEGAL);
  assert_string_equal(err.text, "axis 0 of 'X' has indices 0 to 1, and is read only outside, from 2 to 3");
  float a[] = {1, 2, 3, 4}, g[4], expected[] = {24, 119, 118, 621};
  check_run(own_task(own, "gram:A=2,B=2"), (void *[]){a, g}, 1, expected, "gram");
  int32_t t[] = {1, 2, 3, 4}, u[] = {1, 10}, v[3], turned[] = {21, 32, 43};
  task = own_task(own, "turned:A=3,B=2"); /* the free dim first, wherever it stands */
  assert_false(task->dim[task->access[1].axis[0].dim[0]].reduce);
  check_run(task, (void *[]){t, u, v}, 2, turned, "turned");
  int32_t products[16], outer[16];
  for (int i = 0; i < 16; i++) outer[i] = t[i / 4] * t[i % 2 * 2 + i / 2 % 2];
  check_run(own_task(own, "outer:A=2,B=2"), (void *[]){t, products}, 1, outer, "outer");
  uint8_t blocked[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 99, 99, 99, 11, 99, 99, 99}, s[10];
  uint8_t squares[] = {251, 254, 255, 255, 255, 255, 255, 255, 255, 255};
  check_run(own_task(own, "square:A=2,B=5"), (void *[]){blocked, s}, 1, squares, "square");
}

/* ---- contents of buffers ---- */

static void test_fill(void **state) {
  for (size_t i = 0; i < SC_COUNT_OF(type_names); i++) {
    char text[100];
    snprintf(text, sizeof text, "depthwise:H=5,W=5,C=21,R=3,S=3,layout=NCHWc16,type=%s", type_names[i]);
    const sc_task *task = task_of(text);
    void *one[SC_MAX_TENSORS], *two[SC_MAX_TENSORS];
    buffers_new(task, one);
    buffers_new(task, two);
    sc_fill_buffers(task, one, 1);
    sc_fill_buffers(task, two, 1);
    const conv c = {.depthwise = true, .G = 21, .block = 16};
    int seen[9] = {0};
    for (int h = 0; h < 25; h++)
      for (int g = 0; g < 32; g++) {
        double x = get(one[0], type_names[i], image_at(&c, 5, 5, 1, 0, h / 5, h % 5, g, 0));
        bool inside = x >= (type_names[i][0] == 'u' ? 0 : -4) && x <= 4 && x == floor(x);
        assert_true(inside == (g < 21)); /* what fills up the last block is never a small number */
        if (inside) seen[(int)x + 4]++;
      }
    for (int x = type_names[i][0] == 'u' ? 4 : 0; x < 9; x++) assert_true(seen[x] > 20);
    for (int t = 0; t < task->ntensors; t++)
      assert_memory_equal(one[t], two[t], (size_t)task->tensor[t].elems * sc_type_bytes(task->tensor[t].type));
    const char *type = result_type(type_names[i]);
    for (long k = 0; k < task->tensor[2].elems; k++) {
      double y = get(one[2], type, k);
      assert_true(isnan(y) || fabs(y) > 1000);
    }
    sc_fill_buffers(task, two, 2);
    assert_memory_not_equal(one[0], two[0], (size_t)task->tensor[0].elems * sc_type_bytes(task->tensor[0].type));
    buffers_free(task, one);
    buffers_free(task, two);
  }
}

/* ---- f16 ---- */

static double value_of_half(unsigned half) {
  int exponent = half >> 10 & 31;
  double fraction = half & 1023, magnitude = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
  return half & 0x8000 ? -magnitude : magnitude;
}

/* Every finite f16 goes to f32 and back; what lies between two neighbours goes to the nearer, the middle to the even
 * one. */
static void test_half(void **state) {
  for (unsigned half = 0; half < 0x7c00; half++) {
    for (unsigned sign = 0; sign <= 0x8000; sign += 0x8000) {
      float value = sc_f16_to_f32((uint16_t)(half | sign));
      assert_true(value == (float)value_of_half(half | sign) && !signbit(value) == !sign);
      assert_int_equal(sc_f32_to_f16(value), half | sign);
    }
    double lower = value_of_half(half), upper = half == 0x7bff ? 65536 : value_of_half(half + 1),
           middle = (lower + upper) / 2;
    assert_int_equal(sc_f32_to_f16((float)middle), half + (half & 1));
    assert_int_equal(sc_f32_to_f16(nextafterf((float)middle, 0)), half);
    assert_int_equal(sc_f32_to_f16(nextafterf((float)middle, INFINITY)), half + 1);
  }
  assert_true(isnan(sc_f16_to_f32(0x7e00)) && isinf(sc_f16_to_f32(0xfc00)));
  assert_int_equal(sc_f32_to_f16(NAN) & 0x7e00, 0x7e00);
  assert_int_equal(sc_f32_to_f16(-INFINITY), 0xfc00);
  assert_int_equal(sc_f32_to_f16(1e30f), 0x7c00);
  assert_int_equal(sc_f32_to_f16(-1e-30f), 0x8000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_convolutions),  cmocka_unit_test(test_matmuls), cmocka_unit_test(test_wrapping),
      cmocka_unit_test(test_own_operators), cmocka_unit_test(test_fill),    cmocka_unit_test(test_half),
  };
  return cmocka_run_group_tests(tests, load_library, free_library);
}
