/* Caches, cores and page size as hwloc sees them. It reads what the system says about the machine; what a container
 * hides is left as it was, for the caller to assume. */
#include <hwloc.h>

#include "harness/probe.h"

static int cores_below(hwloc_topology_t topology, hwloc_obj_t object) {
  int cores = hwloc_get_nbobjs_inside_cpuset_by_type(topology, object->cpuset, HWLOC_OBJ_CORE);
  return cores > 0 ? cores : 1;
}

static void fill_cache(hwloc_topology_t topology, hwloc_obj_t object, sc_cache *cache) {
  const struct hwloc_cache_attr_s *c = &object->attr->cache;
  cache->bytes = (sc_value){(double)c->size, SC_PROBED};
  if (c->linesize > 0) cache->line_bytes = (sc_value){c->linesize, SC_PROBED};
  if (c->associativity > 0) cache->ways = (sc_value){c->associativity, SC_PROBED};
  cache->shared_by = (sc_value){cores_below(topology, object), SC_PROBED};
}

sc_status sc_probe_topology(sc_machine *machine, sc_error *err) {
  static const hwloc_obj_type_t level[SC_MAX_CACHES] = {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE};
  hwloc_topology_t topology;
  if (hwloc_topology_init(&topology) != 0) return sc_fail(err, SC_EXTERNAL, "hwloc does not initialise");
  hwloc_topology_set_type_filter(topology, HWLOC_OBJ_L1ICACHE, HWLOC_TYPE_FILTER_KEEP_ALL);
  if (hwloc_topology_load(topology) != 0) {
    hwloc_topology_destroy(topology);
    return sc_fail(err, SC_EXTERNAL, "hwloc cannot read the topology of this machine");
  }
  int cores = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE),
      units = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
  if (cores < 1) cores = units;
  if (cores > 0) machine->cores = (sc_value){cores, SC_PROBED};
  for (int i = 0; i < SC_MAX_CACHES; i++) {
    hwloc_obj_t object = hwloc_get_obj_by_type(topology, level[i], 0);
    if (!object || object->attr->cache.size == 0) break;
    fill_cache(topology, object, &machine->cache[machine->ncaches++]);
  }
  hwloc_obj_t code = hwloc_get_obj_by_type(topology, HWLOC_OBJ_L1ICACHE, 0);
  if (code && code->attr->cache.size > 0) machine->l1i_bytes = (sc_value){(double)code->attr->cache.size, SC_PROBED};
  hwloc_topology_destroy(topology);
  return SC_OK;
}
