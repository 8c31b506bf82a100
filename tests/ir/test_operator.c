/* The operator language: what is printed reads back as itself, for the library and for random operators; mutated texts
 * are errors or operators, never crashes; every error says where. */
#include "tests/ir/tasks.h"

/* ---- round trips ---- */

static const sc_operator *parse(const char *text, sc_error *err) {
  const sc_operator *op = NULL;
  memset(err, 0, sizeof *err);
  return sc_operator_parse(arena, "test.op", text, strlen(text), &op, err) == SC_OK ? op : NULL;
}

static void check_round_trip(const sc_operator *op) {
  sc_str once = {0}, twice = {0};
  sc_error err;
  sc_operator_print(op, &once);
  const sc_operator *again = parse(sc_str_text(&once), &err);
  if (!again) fail_msg("%s at %d:%d of\n%s", err.text, err.line, err.column, once.text);
  sc_operator_print(again, &twice);
  assert_string_equal(once.text, twice.text);
  assert_string_equal(sc_operator_name(op), sc_operator_name(again));
  sc_str_free(&once);
  sc_str_free(&twice);
}

static void test_library(void **state) {
  static const char *const names[] = {"conv2d", "depthwise", "matmul"};
  assert_true(sc_library_count(library) >= SC_COUNT_OF(names));
  for (size_t i = 0; i < sc_library_count(library); i++) {
    const sc_operator *op = sc_library_at(library, i);
    check_round_trip(op);
    assert_ptr_equal(sc_library_find(library, sc_operator_name(op)), op);
  }
  for (size_t i = 0; i < SC_COUNT_OF(names); i++) assert_non_null(sc_library_find(library, names[i]));
  assert_null(sc_library_find(library, "conv"));
}

/* The printed form of a text in it is that text. */
static void test_printed_form(void **state) {
  static const char text[] = "op all\n"
                             "  size A=1 B C\n"
                             "  number z=0\n"
                             "  let D = (A + B)*(C - (A - B)) + 7%(A*B)\n"
                             "  let E = A - B - C/2/2\n"
                             "  require A*2 <= 7\n"
                             "  dim r = C\n"
                             "  in X[a:A, b:B + D] i8 const\n"
                             "  in Y[r:C, E] f16 as [r/4, r%4]\n"
                             "  inout R[x:A, y:B] f32\n";
  static const char good[] = "op all\n"
                             "  size A=1 B C\n"
                             "  number z=0\n"
                             "  let D = (A + B)*(C - (A - B)) + 7%(A*B)\n"
                             "  let E = A - B - C/2/2\n"
                             "  require A*2 <= 7\n"
                             "  dim r = C\n"
                             "  in X[a:A, b:B + D] i8 const\n"
                             "  in Y[r:C, s:E] f16 as [s, r/4, r%4]\n"
                             "  inout R[x:A, y:B] f32\n"
                             "  R[i, j] += X[i, j*(A*2) + r - z*3 + 4] * Y[r, j]\n"
                             "  R[i, j] = max(R[i, j] - (R[i, j] - 1.5), -2) * (3 + R[i, j])\n"
                             "  choice t\n"
                             "  | a\n"
                             "  | b X u8 as [b, a], Y f32 const, R[i, j] += 0.1\n";
  sc_error err;
  assert_null(parse(text, &err)); /* the second axis of Y has no name and so cannot stand in the layout */
  assert_string_equal(err.text, "axis '' is missing");
  const sc_operator *op = parse(good, &err);
  if (!op) fail_msg("%s at %d:%d", err.text, err.line, err.column);
  sc_str out = {0};
  sc_operator_print(op, &out);
  assert_string_equal(out.text, good);
  sc_str_free(&out);
}

/* ---- random operators ---- */

static void random_size(sc_rng *rng, int nparams, int depth, sc_str *out) {
  static const char *const signs[] = {" + ", " - ", "*", "/", "%"};
  int what = below(rng, depth > 0 ? 4 : 2);
  if (what == 0 || (what == 1 && nparams == 0)) sc_str_printf(out, "%d", below(rng, 9));
  else if (what == 1) sc_str_printf(out, "P%d", below(rng, nparams));
  else {
    bool nested = below(rng, 2);
    sc_str_add(out, nested ? "(" : "");
    random_size(rng, nparams, depth - 1, out);
    sc_str_add(out, signs[below(rng, 5)]);
    random_size(rng, nparams, depth - 1, out);
    sc_str_add(out, nested ? ")" : "");
  }
}

static int random_params(sc_rng *rng, sc_str *out) {
  int n = 1 + below(rng, 6);
  for (int i = 0; i < n; i++) {
    int kind = below(rng, 3);
    sc_str_printf(out, "%s P%d%s", kind == 0 ? "let" : kind == 1 ? "size" : "number", i, kind == 0 ? " = " : "");
    if (kind > 0 && below(rng, 2)) sc_str_add(out, "="), kind = 0;
    if (kind == 0) random_size(rng, i, 2, out);
    sc_str_add(out, "\n");
  }
  for (int i = below(rng, 3); i > 0; i--) {
    sc_str_add(out, "require ");
    random_size(rng, n, 2, out);
    sc_str_add(out, below(rng, 2) ? " == " : " >= ");
    random_size(rng, n, 1, out);
    sc_str_add(out, "\n");
  }
  return n;
}

/* A layout of axes a0..: in a random order, some blocked. */
static void random_layout(sc_rng *rng, int naxes, sc_str *out) {
  int order[8], block[8], inner = 0;
  for (int i = 0; i < naxes; i++) {
    int k = below(rng, i + 1);
    order[i] = order[k];
    order[k] = i;
    block[i] = below(rng, 3) == 0 ? 2 + below(rng, 15) : 0;
  }
  sc_str_add(out, " as [");
  for (int i = 0; i < naxes; i++) {
    sc_str_printf(out, "%sa%d", i > 0 ? "," : "", order[i]);
    if (block[order[i]]) sc_str_printf(out, "/%d", block[order[i]]), inner++;
  }
  for (int i = naxes - 1; i >= 0 && inner > 0; i--)
    if (block[order[i]]) sc_str_printf(out, ", a%d%%%d", order[i], block[order[i]]);
  sc_str_add(out, "]");
}

/* Result R[f0..], factors X over windows of f and r, Y over plain dims, and bias Z over the first free dim. */
static void random_operator(sc_rng *rng, sc_str *out) {
  sc_str_printf(out, "op random%d # a comment\n\n", below(rng, 100));
  int nparams = random_params(rng, out), nfree = 1 + below(rng, 3), nred = below(rng, 3), nx = 1 + below(rng, 4);
  sc_str_add(out, "in X[");
  for (int i = 0; i < nx; i++) sc_str_printf(out, "%sa%d:", i > 0 ? ", " : "", i), random_size(rng, nparams, 1, out);
  sc_str_add(out, below(rng, 2) ? "] f32" : "]");
  if (below(rng, 2)) random_layout(rng, nx, out);
  sc_str_add(out, below(rng, 2) ? " const\nin Y[" : "\nin Y[");
  for (int i = 0; i < nfree + nred; i++)
    sc_str_printf(out, "%sa%d:", i > 0 ? ", " : "", i), random_size(rng, nparams, 1, out);
  sc_str_printf(out, "] %s", (const char *[]){"", "f16", "i8", "const f32"}[below(rng, 4)]);
  if (below(rng, 2)) random_layout(rng, nfree + nred, out);
  sc_str_add(out, "\nin Z[P0]\nout R[");
  for (int i = 0; i < nfree; i++) sc_str_printf(out, "%sP%d", i > 0 ? ", " : "", below(rng, nparams));
  sc_str_add(out, "]\nR[");
  for (int i = 0; i < nfree; i++) sc_str_printf(out, "%sf%d", i > 0 ? ", " : "", i);
  sc_str_add(out, "] += X[");
  for (int i = 0; i < nx; i++) {
    sc_str_printf(out, "%sf%d", i > 0 ? ", " : "", below(rng, nfree));
    if (below(rng, 2)) sc_str_printf(out, "*P%d", below(rng, nparams));
    if (nred > 0 && below(rng, 2)) sc_str_printf(out, " + r%d*3*P0", below(rng, nred));
    if (below(rng, 2)) sc_str_printf(out, "%s%d", below(rng, 2) ? " + " : "-", below(rng, 5));
  }
  sc_str_add(out, "] * Y[");
  for (int i = 0; i < nfree; i++) sc_str_printf(out, "%sf%d", i > 0 ? ", " : "", i);
  for (int i = 0; i < nred; i++) sc_str_printf(out, ", r%d", i);
  sc_str_add(out, "]\n choice c\n | one X u8 as [");
  for (int i = nx - 1; i >= 0; i--) sc_str_printf(out, "a%d%s", i, i > 0 ? "," : "");
  sc_str_add(out, "]\n | two ");
  for (int k = 0; k < 2; k++) { /* the same result in two notations */
    sc_str_add(out, k > 0 ? "\n | three R[" : "R[");
    for (int i = 0; i < nfree; i++) sc_str_printf(out, "%sf%d", i > 0 ? ", " : "", i);
    sc_str_add(out, k > 0 ? "] = min(Z[f0], (-2 + Z[f0]) * 0.25)" : "] += Z[f0] - (1 - 2 - Z[f0])");
  }
  sc_str_add(out, "\n");
}

static void test_random_operators(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  for (int i = 0; i < 3000; i++) {
    sc_str text = {0};
    sc_error err;
    random_operator(&rng, &text);
    const sc_operator *op = parse(text.text, &err);
    if (!op) fail_msg("%s at %d:%d of\n%s", err.text, err.line, err.column, text.text);
    check_round_trip(op);
    sc_str_free(&text);
  }
}

/* ---- mutations ---- */

/* An error lies inside the text and carries its line. */
static void check_position(const char *text, const sc_error *err) {
  assert_true(err->text[0] != '\0');
  assert_true(err->line >= 1 && err->column >= 1);
  int line = 1;
  const char *at = text;
  while (line < err->line && (at = strchr(at, '\n'))) at++, line++;
  assert_non_null(at);
  size_t len = strcspn(at, "\n");
  assert_true((size_t)err->column <= len + 1);
  if (len < sizeof err->source && !memchr(at, '\r', len)) {
    assert_int_equal(strlen(err->source), len);
    assert_memory_equal(err->source, at, len);
  }
}

static void mutate(sc_rng *rng, char *text, size_t *len, size_t cap) {
  static const char alphabet[] = "[](),:=+-*/%<>|#\n .0123456789abcnopNRW\"\\\x01";
  for (int n = 1 + below(rng, 3); n > 0; n--) {
    size_t at = sc_rng_below(rng, *len), span = sc_rng_below(rng, 30);
    if (span > *len - at) span = *len - at;
    switch (below(rng, 4)) {
    case 0: text[at] = alphabet[below(rng, (int)sizeof alphabet - 1)]; break;
    case 1: /* cut out */
      if (span == *len) break;
      memmove(text + at, text + at + span, *len - at - span);
      *len -= span;
      break;
    case 2: /* double */
      if (*len + span > cap) break;
      memmove(text + at + span, text + at, *len - at);
      *len += span;
      break;
    default: *len = at > 0 ? at : *len; /* end early */
    }
  }
}

static void test_mutations(void **state) {
  enum { CAP = 16384 };
  sc_rng rng;
  sc_rng_seed(&rng, 2, 0);
  int parsed = 0, refused = 0;
  for (int i = 0; i < 20000; i++) {
    sc_arena *own = sc_arena_new(), *shared = arena;
    sc_str source = {0};
    sc_error err = {0};
    const sc_operator *op;
    if (i % 2) random_operator(&rng, &source);
    else sc_operator_print(sc_library_at(library, sc_rng_below(&rng, sc_library_count(library))), &source);
    size_t len = source.len;
    char *text = malloc(CAP + 1);
    memcpy(text, source.text, len);
    mutate(&rng, text, &len, CAP);
    text[len] = '\0';
    char *exact = malloc(len + 1); /* a byte behind it is asan's */
    memcpy(exact, text, len + 1);
    if (sc_operator_parse(own, "mutant.op", exact, len, &op, &err) == SC_OK) {
      arena = own;
      check_round_trip(op);
      parsed++;
    } else {
      check_position(exact, &err);
      refused++;
    }
    arena = shared;
    free(exact);
    free(text);
    sc_str_free(&source);
    sc_arena_free(own);
  }
  print_message("%d mutants parsed, %d refused\n", parsed, refused);
  assert_true(parsed > 500 && refused > 5000);
}

/* ---- errors ---- */

#define HEAD "op t\n size A B\n in X[a:A, b:B]\n in Y[a:A, b:B]\n out R[a:A]\n"
#define SUM "R[i] += X[i, r] * Y[i, r]\n"

static const struct {
  const char *text;
  int line, column;
  const char *message;
} errors[] = {
    {"", 1, 1, "expected 'op', found the end of the text"},
    {"op", 1, 3, "expected a name, found the end of the text"},
    {"op t x", 1, 6, "expected the end of the line, found 'x'"},
    {"op t\n", 2, 1, "expected a statement: an operator computes something"},
    {"op t\n size\n", 2, 6, "expected a name, found the end of the line"},
    {"op t\n size A A\n", 2, 9, "'A' is declared twice"},
    {"op t\n size let\n", 2, 7, "'let' is a word of the language, not a name"},
    {"op t\n size A=C\n", 2, 9, "'C' is no size declared above"},
    {"op t\n size A=A\n", 2, 9, "'A' is no size declared above"},
    {"op t\n size A=(1\n in X[A]\n", 3, 2, "expected ')', found 'in'"},
    {"op t\n size A=5000000000\n", 2, 9, "expected an integer from 0 to 1073741824, found 5000000000"},
    {"op t\n let A 3\n", 2, 8, "expected '=', found '3'"},
    {"op t\n size A\n require A < 3\n", 3, 12, "expected '==', '<=' or '>=', found '<'"},
    {"op t\n in X[3]\n size A\n", 3, 2, "the parameters of an operator stand before the tensors"},
    {HEAD "in X[3]\n", 6, 4, "this tensor is declared twice"},
    {HEAD "in Z[a:3, a:4]\n", 6, 11, "two axes have this name"},
    {HEAD "in Z[1,2,3,4,5,6,7]\n", 6, 18, "a tensor has at most 6 axes"},
    {HEAD "in Z[a:3] f32 i8\n", 6, 15, "this is said twice"},
    {HEAD "out Z[a:3] const\n", 6, 12, "only an input can be const"},
    {HEAD "in Z[a:3] as [b]\n", 6, 15, "expected the name of an axis of this tensor, found 'b'"},
    {HEAD "in Z[a:3] as [a, a]\n", 6, 18, "axis 'a' stands twice"},
    {HEAD "in Z[a:3] as [a%4]\n", 6, 15, "'a%' stands once, somewhere behind 'a/'"},
    {HEAD "in Z[a:3] as [a/4]\n", 6, 14, "axis 'a' lacks its remainder"},
    {HEAD "in Z[a:3] as [a/4, a%8]\n", 6, 20, "axis 'a' is divided by 4, not by 8"},
    {HEAD "in Z[a:3] as [a/1, a%1]\n", 6, 17, "expected an integer from 2 to 4096, found 1"},
    {HEAD "in Z[a:3, b:3] as [a]\n", 6, 19, "axis 'b' is missing"},
    {HEAD "in Z[a:3] f64\n", 6, 11, "expected the end of the line, found 'f64'"},
    {HEAD "Q[i] += 3\n", 6, 1, "'Q' is no tensor declared above"},
    {HEAD "R[i] -= X[i, r]\n", 6, 6, "expected '=' or '+=', found '-'"},
    {HEAD "R[i, j] += X[i, j] * Y[i, j]\n", 6, 4, "tensor 'R' has only 1 axes"},
    {HEAD "R[i] += X[i] * Y[i, j]\n", 6, 12, "expected ',', found ']'"},
    {HEAD "R[i] = X[i, r] * Y[i, r]\n", 6, 1, "the first statement has the form result[...] += a[...] * b[...]"},
    {HEAD "R[i] += X[i, r] + Y[i, r]\n", 6, 1, "the first statement has the form result[...] += a[...] * b[...]"},
    {HEAD "X[i, r] += X[i, r] * Y[i, r]\n", 6, 1, "'X' is an input: only an 'out' or 'inout' tensor is assigned to"},
    {HEAD "R[i] += R[i] * Y[i, r]\n", 6, 9, "'R' is no input: a factor of the first statement is an 'in' tensor"},
    {HEAD "R[i + 1] += X[i, r] * Y[i, r]\n", 6, 3, "an index of the result is a dim alone"},
    {HEAD "out S[A, B]\nS[i, i] += X[i, r] * Y[i, r]\n", 7, 6, "dim 'i' stands in two axes of the result"},
    {HEAD "R[i] += X[i, r - i] * Y[i, r]\n", 6, 18, "a dim counts upwards: '-' stands only before a size"},
    {HEAD "R[i] += X[i, r + s] * Y[s, r]\n", 6, 14,
     "two reduction dims stand in one index; a free and a reduction dim may"},
    {HEAD "out S[A, B]\nS[i, j] += X[i + j, r] * Y[i, r]\n", 7, 14,
     "two free dims stand in one index; a free and a reduction dim may"},
    {HEAD "R[i] += X[i, 2*r] * Y[i, r]\n", 6, 16, "'r' is no size declared above"},
    {HEAD "R[i] += X[i, i + r*2] * Y[i, i + r]\n", 6, 18,
     "'r' is no size, and a dim that never stands alone in an index needs a line 'dim r = ...'"},
    {"op t\n size A\n dim z = 3\n in X[A]\n out R[A]\n R[i] += X[i] * X[i]\n", 3, 6, "dim 'z' stands in no statement"},
    {HEAD SUM "R[j] = 0\n", 7, 1, "a later statement assigns to the result of the first, with the same indices"},
    {HEAD SUM "R[i] = X[i, r]\n", 7, 8, "an index of a later statement is a dim of the result, alone"},
    {HEAD SUM "R[i] = R[r]\n", 7, 8, "a later statement reads the result with the indices of the first, and inputs"},
    {HEAD SUM "R[i] = max(R[i] 3)\n", 7, 17, "expected ',', found '3'"},
    {HEAD SUM "R[i] = 1e39\n", 7, 8, "the number does not fit f32"},
    {HEAD SUM "in Z[3]\n", 7, 1, "the tensors of an operator stand before the statements"},
    {HEAD SUM "choice c\n" SUM, 8, 1, "expected '|' and an alternative, found 'R'"},
    {HEAD SUM "choice A\n | x\n", 7, 8, "'A' is declared twice"},
    {HEAD SUM "choice c\n | x\n | x\n", 9, 4, "this alternative stands twice"},
    {HEAD SUM "choice c\n | x Q f32\n", 8, 6,
     "expected a tensor: to set its type or layout, or to assign to it, found 'Q'"},
    {HEAD SUM "choice c\n | x X\n", 8, 7, "expected a type, 'const', 'as' or '[', found the end of the line"},
    {HEAD SUM "choice c\n | x X f32, X const\n", 8, 13, "tensor 'X' is set twice in this alternative"},
    {HEAD SUM "choice c\n | x R const\n", 8, 8, "only an input can be const"},
    {"op abcdefghijklmnopqrstuvwxyz0123456789\n", 1, 4, "a name has at most 31 characters here"},
};

static void test_errors(void **state) {
  for (size_t i = 0; i < SC_COUNT_OF(errors); i++) {
    sc_error err;
    if (parse(errors[i].text, &err)) fail_msg("no error in\n%s", errors[i].text);
    if (err.line != errors[i].line || err.column != errors[i].column || strcmp(err.text, errors[i].message) != 0)
      fail_msg("%d:%d: %s instead of %d:%d: %s in\n%s", err.line, err.column, err.text, errors[i].line,
               errors[i].column, errors[i].message, errors[i].text);
    assert_string_equal(err.where, "test.op");
    check_position(errors[i].text, &err);
  }
}

/* One more of anything than its table holds is an error that names the limit. */
static void test_limits(void **state) {
  static const struct {
    const char *before, *repeated, *message;
  } limits[] = {
      {"op t\n", "size P@\n", "an operator has at most 32 parameters"},
      {"op t\n size A\n", "require A >= @\n", "an operator has at most 8 conditions"},
      {"op t\n", "dim d@ = 1\n", "an operator has at most 10 dims"},
      {"op t\n", "in T@[1]\n", "an operator has at most 12 tensors"},
      {HEAD SUM, "R[i] = @\n", "an operator has at most 12 statements"},
      {HEAD, "R[i] += X[i, r + @] * Y[i, r]\n", "an operator has at most 12 statements"},
      {HEAD SUM "choice c\n", "| a@\n", "the choices of an operator have at most 32 alternatives"},
      {HEAD "R[i] += X[i, r", " + 1@", "an index has at most 4 terms"},
      {"op t\n size A=1", " + @", "a size expression has at most 24 numbers, names and operators"},
      {HEAD SUM "R[i] = 1", " + @", "an expression has at most 12 values and operations"},
      {"op t\n size A=", "(", "at most 32 brackets may be open"},
      {HEAD SUM "R[i] = ", "(", "at most 32 brackets may be open"},
  };
  for (size_t i = 0; i < SC_COUNT_OF(limits); i++) {
    sc_str text = {0};
    sc_error err = {0};
    sc_str_add(&text, limits[i].before);
    for (int k = 0; k < 60; k++) {
      char line[64];
      const char *hole = strchr(limits[i].repeated, '@');
      if (hole)
        snprintf(line, sizeof line, "%.*s%d%s", (int)(hole - limits[i].repeated), limits[i].repeated, k, hole + 1);
      sc_str_add(&text, hole ? line : limits[i].repeated);
    }
    assert_null(parse(text.text, &err));
    assert_string_equal(err.text, limits[i].message);
    assert_int_equal(err.status, SC_LIMIT);
    sc_str_free(&text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_library),   cmocka_unit_test(test_printed_form), cmocka_unit_test(test_random_operators),
      cmocka_unit_test(test_mutations), cmocka_unit_test(test_errors),       cmocka_unit_test(test_limits),
  };
  return cmocka_run_group_tests(tests, load_library, free_library);
}
