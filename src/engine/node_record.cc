#include "engine/node_record.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "clock/rfc3339.h"
#include "engine/daemon.h"
#include "engine/memoize.h"
#include "engine/names.h"
#include "spec/node_id.h"
#include "value/json.h"

namespace tiphys::engine {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr value::JsonStyle kCompact{
    .key_order = value::KeyOrder::kAsGiven, .indent = 0, .escape_html = false};
constexpr std::int64_t kNsPerMs = 1'000'000;

// The bits of "g".
constexpr std::int64_t kHasFlag = 1;
constexpr std::int64_t kHooked = 2;
constexpr std::int64_t kRetried = 4;
constexpr std::int64_t kDaemoned = 8;
constexpr std::int64_t kIsOnHost = 16;

/// Writes the members of one JSON object. There is one for each node, so they are written directly.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void text(char key, std::string_view v) { value::append_json_string(member(key), v, false); }
  void number(char key, std::int64_t v) { append_number(member(key), v); }
  void value(char key, const Value& v) { value::append_json(member(key), v, kCompact); }
  void nodes(char key, const std::vector<NodeIndex>& list) {
    if (list.empty()) return;
    std::string& out = member(key);
    char before = '[';
    for (const NodeIndex i : list) {
      out += before;
      append_number(out, i);
      before = ',';
    }
    out += ']';
  }
  void end() { out_ += '}'; }

 private:
  static void append_number(std::string& out, std::int64_t v) {
    std::array<char, 24> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), v);
    out.append(digits.data(), end);
  }
  std::string& member(char key) {
    const char text[] = {is_first_ ? '{' : ',', '"', key, '"', ':'};
    is_first_ = false;
    return out_.append(text, sizeof text);
  }

  std::string& out_;
  bool is_first_ = true;
};

std::int64_t flags_of(const Node& n) {
  const bool is_on_host = n.type == "Pod" && n.phase != Phase::kPending && !is_cache_hit(n);
  return (n.has_flag || n.hooked || n.retried ? kHasFlag : 0) | (n.hooked ? kHooked : 0) |
         (n.retried ? kRetried : 0) | (n.is_daemon && !is_fulfilled(n.phase) ? kDaemoned : 0) |
         (is_on_host ? kIsOnHost : 0);
}

Value reference_of(const spec::TemplateRef& ref) {
  Map map{{"name", ref.name}, {"template", ref.template_name}};
  if (ref.cluster_scope) map.set("clusterScope", true);
  return map;
}

Value time_of(const Value& ms) {
  if (!ms.is_int()) return {};
  return clock::rfc3339(clock::Instant{} + clock::Duration::milliseconds(ms.as_int()));
}

Value flag_of(std::int64_t bits) {
  Map flag;
  if ((bits & kHooked) != 0) flag.set("hooked", true);
  if ((bits & kRetried) != 0) flag.set("retried", true);
  return flag;
}

// A number that no record of ours holds names nobody.
NodeIndex index_of(const Value& v) {
  const std::int64_t number = v.int_or(kNoNode);
  return std::in_range<NodeIndex>(number) ? static_cast<NodeIndex>(number) : kNoNode;
}

Value ids_of(const Value& list, std::string_view workflow, const NameOf& name_of) {
  List ids;
  for (const Value& i : list.list()) {
    ids.emplace_back(spec::node_id(workflow, name_of(index_of(i))));
  }
  return ids;
}

std::string_view shown_name(const Value& record, const NameOf& name_of) {
  const std::string_view name = record["n"].string_or("");
  if (!record["b"].is_int()) return record["d"].string_or(name);
  return record["d"].string_or(display_name_below(name, name_of(index_of(record["b"]))));
}

void copy(const Value& record, std::string_view key, const char* field, Map& status) {
  if (!record[key].is_null()) status.set(field, record[key]);
}

}  // namespace

void append_node_record(std::string& out, const Machine& m, NodeIndex i) {
  const Node& n = m.at(i);
  Writer r(out);
  r.text('n', n.name);
  r.text('t', n.type.name());
  r.text('p', to_string(n.phase));
  if (const Progress& p = n.progress(); p.done != 0 || p.all != 1) {
    r.text('P', fmt::format("{}/{}", p.done, p.all));
  }
  if (!n.given_display_name().empty()) r.text('d', n.given_display_name());
  if (!n.site->template_name.empty()) r.text('T', n.site->template_name);
  if (n.site->template_ref.is_set()) r.value('R', reference_of(n.site->template_ref));
  if (n.site->scope) r.text('S', n.site->scope->label);
  if (n.boundary != kNoNode) r.number('b', n.boundary);
  if (!n.message().empty()) r.text('m', n.message());
  if (const std::int64_t flags = flags_of(n); flags != 0) {
    r.number('g', flags);
    const std::string& host = n.place().host;
    if ((flags & kIsOnHost) != 0) r.text('h', host.empty() ? m.definition.host : host);
    if (const std::string& ip = n.place().ip; (flags & kDaemoned) != 0) {
      r.text('I', ip.empty() ? kDaemonIp : ip);
    }
  }
  if (n.started_at.is_set()) r.number('s', n.started_at.ns / kNsPerMs);
  if (n.finished_at.is_set()) r.number('f', n.finished_at.ns / kNsPerMs);
  if (!n.inputs.map().empty()) r.value('i', n.inputs);
  if (!n.outputs.map().empty()) r.value('o', n.outputs);
  if (!n.waits_for_lock().empty()) r.text('w', n.waits_for_lock());
  if (n.memoization().is_map()) r.value('M', n.memoization());
  r.nodes('c', n.children);
  r.nodes('u', n.outbound());
  r.end();
}

diag::Result<Value> node_status_of_record(std::string_view text, std::string_view workflow,
                                          const NameOf& name_of) {
  TRY(const Value r, value::parse_json(text));
  if (r["id"].is_string()) return r;  // of version 3 and before
  if (!r["n"].is_string() || !r["t"].is_string()) {
    return diag::fail(diag::Code::kInternal, "a node of the store is no node record");
  }
  const std::int64_t flags = r["g"].int_or(0);
  const std::string& type = r["t"].as_string();
  const auto phase = parse_phase(r["p"].string_or(""));
  Map s{{"id", spec::node_id(workflow, r["n"].as_string())},
        {"name", r["n"]},
        {"displayName", shown_name(r, name_of)},
        {"type", type}};
  copy(r, "T", "templateName", s);
  copy(r, "R", "templateRef", s);
  copy(r, "S", "templateScope", s);
  s.set("phase", r["p"]);
  if (r["b"].is_int()) {
    const std::string_view around = name_of(index_of(r["b"]));
    s.set("boundaryID", spec::node_id(workflow, around));
  }
  copy(r, "m", "message", s);
  if ((flags & kDaemoned) != 0) {
    s.set("daemoned", true);
    s.set("podIP", r["I"].string_or(kDaemonIp));  // older records have none
  }
  copy(r, "h", "hostNodeName", s);
  s.set("startedAt", time_of(r["s"]));
  s.set("finishedAt", time_of(r["f"]));
  if (type == "Pod" || type == "HTTP" || type == "Suspend") {
    const std::string_view told = r["P"].string_or("0/1");
    const std::string_view all = told.substr(told.find('/') + 1);
    s.set("progress",
          phase && is_fulfilled(*phase) ? fmt::format("{0}/{0}", all) : std::string(told));
  }
  copy(r, "i", "inputs", s);
  copy(r, "o", "outputs", s);
  if (r["w"].is_string()) s.set("synchronizationStatus", Map{{"waiting", r["w"]}});
  copy(r, "M", "memoizationStatus", s);
  if (r["c"].is_list()) s.set("children", ids_of(r["c"], workflow, name_of));
  if (r["u"].is_list()) s.set("outboundNodes", ids_of(r["u"], workflow, name_of));
  if ((flags & kHasFlag) != 0) s.set("nodeFlag", flag_of(flags));
  return Value(std::move(s));
}

diag::Result<std::string> name_of_record(std::string_view text) {
  TRY(const Value r, value::parse_json(text));
  return std::string(r[r["id"].is_string() ? "name" : "n"].string_or(""));
}

}  // namespace tiphys::engine
