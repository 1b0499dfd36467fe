#include "runtime/cron_object.h"

#include <utility>

#include <fmt/format.h>

#include "clock/rfc3339.h"
#include "runtime/new_names.h"
#include "value/json.h"

namespace tiphys::runtime {

using value::Map;
using value::Value;

diag::Result<store::ObjectRow> put_cron(const Value& object, Put how, store::Store& store,
                                        const std::string& name_space, clock::Instant now) {
  Map metadata = object["metadata"].map();
  const std::string_view own = object["metadata"]["namespace"].string_or("");
  const std::string space = own.empty() ? name_space : std::string(own);
  std::string name(object["metadata"]["name"].string_or(""));
  if (name.empty()) {
    name = generated_name(object["metadata"]["generateName"].string_or(""));
  }
  auto have = store.find_object("CronWorkflow", space, name);
  if (!have && have.error().code != diag::Code::kNotFound) return have;
  if (!have && how == Put::kUpdate) return have;
  if (have && how == Put::kCreate) {
    return diag::fail(diag::Code::kAlreadyExists,
                      fmt::format("'{}' already exists; use 'tiphys cron update'", name));
  }
  store::ObjectRow row{
      .kind = "CronWorkflow", .name_space = space, .name = name, .json = "", .created_at = now};
  Value before;
  if (have) {
    TRY(before, value::parse_json(have->json));
    row.created_at = have->created_at;
  }
  const Value& uid = before["metadata"]["uid"];
  const std::int64_t generation = before["metadata"]["generation"].int_or(have ? 1 : 0);
  metadata.set("name", name);
  metadata.set("namespace", space);
  metadata.set("uid", uid.is_string() ? uid : Value(new_uid()));
  metadata.set("creationTimestamp", clock::rfc3339(row.created_at));
  metadata.set("generation", how == Put::kApply && have ? generation : generation + 1);
  Map stored = object.map();
  stored.erase("status");
  stored.set("metadata", std::move(metadata));
  row.json = value::to_json(stored, {.key_order = value::KeyOrder::kAsGiven});
  TRY_VOID(store.put_object(row));
  return row;
}

}  // namespace tiphys::runtime
