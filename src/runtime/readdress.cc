#include "runtime/readdress.h"

#include <fmt/format.h>

#include <utility>

#include "notify/rule.h"
#include "runtime/delivery_target.h"
#include "value/json.h"

namespace tiphys::runtime {

using value::Map;
using value::Value;

diag::Result<std::vector<store::DeliveryRow>> readdressed(store::Store& store,
                                                          store::DeliveryRow row) {
  TRY(const std::string text, store.delivery_payload(row.id));
  if (text.empty()) return std::vector{std::move(row)};
  TRY(const Value payload, value::parse_json(text));
  if (!payload["recipients"].is_list()) return std::vector{std::move(row)};
  const std::string space = space_of(row, payload);
  auto target = find_target(store, Map{{"channel", payload["channel"]}}, space);
  if (!target && target.error().code == diag::Code::kNotFound) {
    return diag::fail(diag::Code::kNotFound,
                      fmt::format("there is no channel '{}' in namespace '{}': apply one, then "
                                  "replay",
                                  row.channel, space));
  }
  if (!target) return std::unexpected(target.error());
  notify::Address address{.channel = row.channel};
  for (const Value& r : payload["recipients"].list()) {
    address.recipients.emplace_back(r.string_or(""));
  }
  Map known = payload.map();
  known.erase("recipients");
  known.set("message", notify::with_recipients(address, payload["message"], target->kind));
  row.kind = target->kind;
  row.payload = value::to_json(
      Value(known), {.key_order = value::KeyOrder::kAsGiven, .indent = 0, .escape_html = false});
  std::vector<store::DeliveryRow> rows;
  for (const std::string& to : target->how->destinations(target->config, *known.find("message"))) {
    rows.push_back(row);
    rows.back().destination = to;
    if (rows.size() > 1) rows.back().id += fmt::format(".{}", rows.size() - 1);
  }
  if (!rows.empty()) return rows;
  return diag::fail(diag::Code::kInvalidManifest,
                    fmt::format("channel '{}': nobody to send to", row.channel));
}

}  // namespace tiphys::runtime
