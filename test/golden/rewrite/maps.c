/* Map helpers on every type that has operations of its own, and on two types at once. */
#include "../bpf.h"

struct value12 {
  __u32 a, b, c;
};
struct key5 {
  __u8 k[5];
};
MAP(1, struct key5, struct value12, 8) hash SEC(".maps");
MAP(2, __u32, struct value12, 8) array SEC(".maps");
MAP(2, __u32, __u64, 3) array_of_words SEC(".maps");
MAP(5, __u32, __u64, 8) percpu_hash SEC(".maps");
MAP(6, __u32, __u64, 8) percpu_array SEC(".maps");
MAP(9, __u64, struct value12, 8) lru_hash SEC(".maps");
MAP(10, __u64, __u64, 8) lru_percpu_hash SEC(".maps");
MAP(17, __u32, __u32, 4) xskmap SEC(".maps");
struct {
  __uint(type, 11);
  __uint(map_flags, 1);
  __uint(max_entries, 8);
  __uint(key_size, 8);
  __uint(value_size, 4);
} trie SEC(".maps");
struct {
  __uint(type, 22);
  __uint(max_entries, 8);
  __uint(value_size, 4);
} queue SEC(".maps");
struct {
  __uint(type, 12);
  __uint(max_entries, 4);
  __uint(key_size, 4);
  __uint(value_size, 4);
  __array(values, MAP(2, __u32, __u32, 1));
} array_of_maps SEC(".maps");
struct {
  __uint(type, 13);
  __uint(max_entries, 4);
  __uint(key_size, 4);
  __uint(value_size, 4);
  __array(values, MAP(1, __u32, __u32, 1));
} hash_of_maps SEC(".maps");

#define LOOK_UP(name, section, map, key_type, value_type)                                                              \
  SEC(section) int name(void *ctx) {                                                                                   \
    key_type key = {};                                                                                                 \
    value_type *value = map_lookup_elem(&map, &key);                                                                   \
    return value ? *(volatile __u8 *)value : 0;                                                                        \
  }
LOOK_UP(in_hash, "tc", hash, struct key5, struct value12)
LOOK_UP(in_array, "tc", array, __u32, struct value12)
LOOK_UP(in_words, "tc", array_of_words, __u32, __u64)
LOOK_UP(in_percpu_hash, "tc", percpu_hash, __u32, __u64)
LOOK_UP(in_percpu_array, "tc", percpu_array, __u32, __u64)
LOOK_UP(in_lru_hash, "tc", lru_hash, __u64, struct value12)
LOOK_UP(in_lru_percpu_hash, "tc", lru_percpu_hash, __u64, __u64)
LOOK_UP(in_trie, "tc", trie, __u64, __u32)

#define LOOK_UP_INNER(name, map)                                                                                       \
  SEC("tc") int name(void *ctx) {                                                                                      \
    __u32 key = 0, *value;                                                                                             \
    void *inner = map_lookup_elem(&map, &key);                                                                         \
    if (!inner) return 0;                                                                                              \
    value = map_lookup_elem(inner, &key);                                                                              \
    return value ? *value : 0;                                                                                         \
  }
LOOK_UP_INNER(in_array_of_maps, array_of_maps)
LOOK_UP_INNER(in_hash_of_maps, hash_of_maps)

SEC("xdp") int in_xskmap(void *ctx) {
  __u32 key = 1;
  return map_lookup_elem(&xskmap, &key) ? 2 : 1;
}

SEC("xdp") int redirects(void *ctx) {
  return redirect_map(&xskmap, 1, 0);
}

SEC("tc") int several_maps(void *ctx) {
  __u64 key = 0, *value;
  void *map = &lru_percpu_hash;
  if (get_prandom_u32() > 5) map = &percpu_array;
  value = map_lookup_elem(map, &key);
  return value ? (int)*value : 0;
}

SEC("tc") int changes(void *ctx) {
  struct key5 key = {};
  struct value12 value = {1, 2, 3};
  __u32 number = 4, index = 0;
  __u64 word = 5;
  map_update_elem(&hash, &key, &value, 0);
  map_delete_elem(&hash, &key);
  map_update_elem(&array, &index, &value, 0);
  map_update_elem(&percpu_array, &index, &word, 0);
  map_push_elem(&queue, &number, 0);
  map_peek_elem(&queue, &number);
  map_pop_elem(&queue, &number);
  return map_lookup_percpu_elem(&percpu_array, &index, 0) ? 1 : 0;
}

static long visit(void *map, void *key, void *value, void *ctx) {
  return 0;
}

SEC("tc") int for_each(void *ctx) {
  return for_each_map_elem(&hash, visit, 0, 0) + for_each_map_elem(&array, visit, 0, 0);
}
