#include "runtime/object_row.h"

#include <utility>

#include "clock/rfc3339.h"
#include "value/json.h"

namespace tiphys::runtime {

NewRow object_row(store::Store& store, const std::string& kind, const std::string& name_space,
                  const value::Value& object, clock::Instant now) {
  NewRow made{.row = {.kind = kind,
                      .name_space = name_space,
                      .name = std::string(object["metadata"]["name"].string_or("")),
                      .json = "",
                      .created_at = now}};
  const auto have = store.find_object(kind, name_space, made.row.name);
  made.is_known = have.has_value();
  if (have) made.row.created_at = have->created_at;
  value::Map metadata = object["metadata"].map();
  if (!name_space.empty()) metadata.set("namespace", name_space);
  metadata.set("creationTimestamp", clock::rfc3339(made.row.created_at));
  value::Map stored = object.map();
  stored.set("metadata", std::move(metadata));
  made.row.json = value::to_json(stored, {.key_order = value::KeyOrder::kAsGiven});
  return made;
}

}  // namespace tiphys::runtime
