#include "runtime/plugin_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "executor/sigv4.h"
#include "runtime/delivery_target.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using net::HttpServerAnswer;
using value::List;
using value::Map;
using value::Value;

constexpr value::JsonStyle kCompact{
    .key_order = value::KeyOrder::kAsGiven, .indent = 0, .escape_html = false};

HttpServerAnswer plain(int status, std::string text) {
  return {.status = status, .content_type = "text/plain", .body = std::move(text)};
}

HttpServerAnswer node(const char* phase, std::string message, const std::string& id) {
  Map outputs{{"parameters", List{Map{{"name", "notification"}, {"value", id}}}}};
  Map n{{"phase", phase}, {"message", std::move(message)}};
  const bool is_over = std::string_view(phase) != "Running";
  if (is_over && !id.empty()) n.set("outputs", std::move(outputs));
  Map reply{{"node", std::move(n)}};
  if (!is_over) reply.set("requeue", "1s");
  return {.body = value::to_json(Value(std::move(reply)), kCompact)};
}

// Whether two texts are the same, in a time that does not tell how much of them is.
bool is_same(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    difference |=
        static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  }
  return difference == 0;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

// A list, or its JSON text: `{{workflow.failures}}` is a text that holds a text.
Value list_in(const Value& given) {
  Value v = given;
  for (int i = 0; i < 2 && v.is_string(); ++i) {
    auto parsed = value::parse_json(v.as_string());
    if (!parsed) return {};
    v = std::move(*parsed);
  }
  return v.is_list() ? v : Value();
}

// What Argo's agent knows of the workflow, and what the template says of it in `notify.event`.
Value event_of(const Value& call) {
  const Value& metadata = call["workflow"]["metadata"];
  const Value& given = call["template"]["plugin"]["tiphys"]["notify"]["event"];
  Map workflow{
      {"name", metadata["name"]}, {"namespace", metadata["namespace"]}, {"uid", metadata["uid"]}};
  for (const char* member : {"phase", "message", "progress", "startedAt", "finishedAt", "url"}) {
    if (given[member].is_string()) workflow.set(member, given[member]);
  }
  if (const Value& duration = given["duration"]; !duration.is_null()) {
    // `{{workflow.duration}}` is a text
    auto parsed = duration.is_string() ? value::parse_json(duration.as_string())
                                       : diag::Result<Value>(duration);
    if (parsed && (parsed->is_int() || parsed->is_float())) workflow.set("duration", *parsed);
  }
  const std::string phase = lower(given["phase"].string_or(""));
  Map event{{"type", "workflow." + (phase.empty() ? "notification" : phase)},
            {"trigger", call["template"]["name"].string_or("")},
            {"workflow", std::move(workflow)}};
  if (Value failures = list_in(given["failures"]); !failures.is_null()) {
    event.set("failures", std::move(failures));
  }
  return event;
}

std::string id_of(const Value& call) {
  const std::string_view uid = call["workflow"]["metadata"]["uid"].string_or("");
  return fmt::format("msg_argo.{}.{}", uid,
                     executor::sha256_hex(value::to_json(call["template"])).substr(0, 16));
}

bool refers_to_secret(const Value& v) {
  if (v.is_list()) return std::ranges::any_of(v.list(), refers_to_secret);
  if (!v.is_map()) return false;
  return std::ranges::any_of(v.map(), [](const auto& member) {
    return member.first == "secretKeyRef" || refers_to_secret(member.second);
  });
}

// Who calls may write workflows; this process has the secrets of all channels, and its own.
const char* inline_refusal(const Value& notify, bool allows_inline) {
  if (!notify["channel"].string_or("").empty()) return nullptr;
  if (!allows_inline) {
    return "this plugin sends by the channels that it was given: name one as notify.channel "
           "(or start it with --allow-inline)";
  }
  if (notify["kind"].string_or("") == "command") {
    return "a channel of a template itself cannot be of kind 'command' here: it would run "
           "beside all secrets";
  }
  if (refers_to_secret(notify["config"])) {
    return "a channel of a template itself cannot use secretKeyRef here: name a channel that "
           "the plugin was given";
  }
  return nullptr;
}

// The rows of one call, found by how their ids begin.
std::vector<store::DeliveryRow> rows_of(std::vector<store::DeliveryRow> rows,
                                        const std::string& id) {
  std::erase_if(rows, [&](const store::DeliveryRow& row) {
    return row.id != id && !row.id.starts_with(id + ".");
  });
  return rows;
}

HttpServerAnswer state_of(const std::vector<store::DeliveryRow>& rows, const std::string& id,
                          bool is_awaited) {
  if (!is_awaited) return node("Succeeded", "", id);
  for (const store::DeliveryRow& row : rows) {
    if (row.state != "pending") continue;
    return node(
        "Running",
        row.attempts == 0 ? "" : fmt::format("attempt {} failed: {}", row.attempts, row.reason),
        id);
  }
  for (const store::DeliveryRow& row : rows) {
    if (row.state == "delivered") continue;
    return node("Failed",
                fmt::format("not delivered after {} attempt{}: {}", row.attempts,
                            row.attempts == 1 ? "" : "s", row.reason),
                id);
  }
  return node("Succeeded", "", id);
}

}  // namespace

HttpServerAnswer PluginService::answer(const net::HttpServerRequest& request, clock::Instant now) {
  if (request.target == "/healthz" && request.method == "GET") return plain(200, "ok\n");
  if (request.target != "/api/v1/template.execute") return plain(404, "no such path\n");
  if (request.method != "POST") return plain(405, "want POST\n");
  if (!is_same(request.authorization, "Bearer " + options_.token)) {
    return plain(401, "want the token of the agent\n");
  }
  const auto call = value::parse_json(request.body);
  if (!call || !(*call)["template"].is_map() ||
      (*call)["workflow"]["metadata"]["uid"].string_or("").empty()) {
    return plain(400, "want JSON with workflow.metadata.uid and template\n");
  }
  return execute(*call, now);
}

HttpServerAnswer PluginService::execute(const Value& call, clock::Instant now) {
  const Value& notify = call["template"]["plugin"]["tiphys"]["notify"];
  if (!notify.is_map()) return {.body = "{}"};  // another plugin's
  const Value& metadata = call["workflow"]["metadata"];
  const std::string uid(metadata["uid"].string_or(""));
  if (uid.find('/') != std::string::npos || uid.starts_with('.')) {
    return plain(400, "workflow.metadata.uid is none\n");
  }
  const std::string id = id_of(call);
  const bool is_awaited = notify["await"].string_or("delivered") != "accepted";
  auto known = store_.load_deliveries({.uid = uid});
  if (!known) return plain(503, known.error().message);
  if (auto rows = rows_of(std::move(*known), id); !rows.empty()) {
    return state_of(rows, id, is_awaited);
  }
  if (const char* refusal = inline_refusal(notify, options_.allows_inline); refusal != nullptr) {
    return node("Error", refusal, "");
  }
  const std::string name_space = options_.channels_space.empty()
                                     ? std::string(metadata["namespace"].string_or(""))
                                     : options_.channels_space;
  const auto target = find_target(store_, notify, name_space);
  if (!target) return node("Error", target.error().message, "");
  Map payload{{"event", event_of(call)}, {"message", notify["message"]}};
  const bool is_stored = notify["channel"].is_string();
  payload.set(is_stored ? "channel" : "config", is_stored ? notify["channel"] : target->config);
  if (notify["retries"].is_list()) payload.set("retries", notify["retries"]);
  const std::string json = value::to_json(Value(std::move(payload)), kCompact);
  store::Batch batch;
  for (const std::string& to : target->how->destinations(target->config, notify["message"])) {
    const std::size_t n = batch.deliveries.size();
    batch.deliveries.push_back({.id = n == 0 ? id : fmt::format("{}.{}", id, n),
                                .uid = uid,
                                .name_space = name_space,
                                .workflow = std::string(metadata["name"].string_or("")),
                                .node = std::string(call["template"]["name"].string_or("")),
                                .channel = target->channel,
                                .kind = target->kind,
                                .destination = to,
                                .state = "pending",
                                .created_at = now,
                                .next_at = now,
                                .payload = json});
  }
  if (batch.deliveries.empty()) {
    return node("Error", fmt::format("channel '{}': nobody to send to", target->channel), "");
  }
  if (auto done = store_.commit(batch); !done) return plain(503, done.error().message);
  options_.on_accepted();
  return state_of(batch.deliveries, id, is_awaited);
}

}  // namespace tiphys::runtime
