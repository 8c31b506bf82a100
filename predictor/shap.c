/* TreeSHAP: exact Shapley values of the conditional expectations that follow the covers of the training rows (Lundberg,
 * Erion, Lee 2018, algorithm 2). A path holds, per distinct feature met on the way down, the share of paths that flow
 * through when the feature is unknown (zero) and known (one), and the weights of all subset sizes. */
#include <string.h>

#include "predictor/forest.h"

typedef struct element {
  int feature;
  double zero, one, weight;
} element;

typedef struct path {
  element at[SC_FOREST_DEPTH + 2];
  int n; /* elements in use */
} path;

static void extend(path *p, double zero, double one, int feature) {
  const int n = p->n++;
  p->at[n] = (element){feature, zero, one, n == 0 ? 1 : 0};
  for (int i = n - 1; i >= 0; i--) {
    p->at[i + 1].weight += one * p->at[i].weight * (i + 1) / (n + 1);
    p->at[i].weight = zero * p->at[i].weight * (n - i) / (n + 1);
  }
}

/* Undoes the extension by element i. */
static void unwind(path *p, int i) {
  const int n = p->n - 1;
  const double one = p->at[i].one, zero = p->at[i].zero;
  double next = p->at[n].weight;
  for (int j = n - 1; j >= 0; j--) {
    const double weight = p->at[j].weight;
    if (one != 0) {
      p->at[j].weight = next * (n + 1) / ((j + 1) * one);
      next = weight - p->at[j].weight * zero * (n - j) / (n + 1);
    } else p->at[j].weight = zero > 0 ? weight * (n + 1) / (zero * (n - j)) : 0;
  }
  for (int j = i; j < n; j++) {
    p->at[j].feature = p->at[j + 1].feature;
    p->at[j].zero = p->at[j + 1].zero;
    p->at[j].one = p->at[j + 1].one;
  }
  p->n--;
}

static double unwound_sum(const path *p, int i) {
  path copy = *p;
  double sum = 0;
  unwind(&copy, i);
  for (int j = 0; j < copy.n; j++) sum += copy.at[j].weight;
  return sum;
}

typedef struct walk {
  const sc_tree_node *node;
  const uint8_t *bins;
  double *phi;
} walk;

static void descend(const walk *w, int32_t at, path p, double zero, double one, int feature) {
  const sc_tree_node *node = &w->node[at];
  extend(&p, zero, one, feature);
  if (node->left < 0) {
    for (int i = 1; i < p.n; i++) {
      w->phi[p.at[i].feature] += unwound_sum(&p, i) * (p.at[i].one - p.at[i].zero) * (double)node->value;
    }
    return;
  }
  const bool left = w->bins[node->feature] < node->threshold;
  const int32_t hot = left ? node->left : node->right, cold = left ? node->right : node->left;
  const double cover = (double)w->node[node->left].cover + (double)w->node[node->right].cover;
  const double hot_share = cover > 0 ? (double)w->node[hot].cover / cover : 0.5;
  double known_zero = 1, known_one = 1;
  for (int i = 1; i < p.n; i++) {
    if (p.at[i].feature != node->feature) continue;
    known_zero = p.at[i].zero;
    known_one = p.at[i].one;
    unwind(&p, i);
    break;
  }
  descend(w, hot, p, known_zero * hot_share, known_one, node->feature);
  descend(w, cold, p, known_zero * (1 - hot_share), 0, node->feature);
}

/* Mean of a tree's leaves under the covers. */
static double expectation(const sc_tree_node *node, int32_t at) {
  const sc_tree_node *n = &node[at];
  if (n->left < 0) return (double)n->value;
  const double left = (double)node[n->left].cover, right = (double)node[n->right].cover;
  const double share = left + right > 0 ? left / (left + right) : 0.5;
  return share * expectation(node, n->left) + (1 - share) * expectation(node, n->right);
}

void sc_forest_shap(const sc_forest *forest, const uint8_t *bins, int output, double *phi, double *base) {
  memset(phi, 0, (size_t)forest->nfeatures * sizeof *phi);
  *base = 0;
  for (size_t t = 0; t < forest->ntrees; t++) {
    if (forest->tree[t].output != output) continue;
    const walk w = {forest->node + forest->tree[t].first, bins, phi};
    *base += expectation(w.node, 0);
    descend(&w, 0, (path){0}, 1, 1, -1);
  }
}
