#include "cli/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "clock/go_duration.h"
#include "spec/labels.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

constexpr std::string_view kPhaseLabel = "workflows.argoproj.io/phase";
constexpr std::string_view kCompletedLabel = "workflows.argoproj.io/completed";
constexpr std::string_view kResubmittedLabel = "workflows.argoproj.io/resubmitted-from-workflow";

std::string phase_of(const store::WorkflowRow& row) {
  return row.phase.empty() ? "Pending" : row.phase;
}

std::string_view field_of(const store::WorkflowRow& row, std::string_view key) {
  if (key == "metadata.name") return row.name;
  if (key == "metadata.namespace") return row.name_space;
  return row.phase;
}

// The workflow's own labels and those that Argo's controller puts on it.
spec::Labels labels_of_row(const store::WorkflowRow& row) {
  auto metadata = value::parse_json(row.metadata_json);
  spec::Labels labels = metadata ? spec::labels_of((*metadata)["labels"]) : spec::Labels();
  if (!row.phase.empty()) labels.emplace(kPhaseLabel, row.phase);
  if (row.finished_at.is_set()) labels.emplace(kCompletedLabel, "true");
  return labels;
}

}  // namespace

diag::Result<std::vector<FieldTerm>> parse_field_selector(std::string_view text) {
  constexpr std::array<std::string_view, 3> kFields = {"metadata.name", "metadata.namespace",
                                                       "status.phase"};
  std::vector<FieldTerm> terms;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view term = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    if (term.empty()) continue;
    const std::size_t eq = term.find('=');
    if (eq == std::string_view::npos) {
      return wrong_usage(fmt::format("invalid selector: '{}'; can't understand '{}'", text, term));
    }
    const bool is_negated = eq > 0 && term[eq - 1] == '!';
    const std::string_view key = term.substr(0, is_negated ? eq - 1 : eq);
    if (std::ranges::find(kFields, key) == kFields.end()) {
      return wrong_usage(fmt::format("field label not supported: {}", key));
    }
    std::string_view wanted = term.substr(eq + 1);
    if (!is_negated && wanted.starts_with('=')) wanted.remove_prefix(1);
    terms.push_back({std::string(key), std::string(wanted), is_negated});
  }
  return terms;
}

bool matches(const store::WorkflowRow& row, const std::vector<FieldTerm>& terms) {
  return std::ranges::all_of(
      terms, [&](const FieldTerm& t) { return (field_of(row, t.key) == t.value) != t.is_negated; });
}

diag::Result<clock::Duration> parse_age(std::string_view text) {
  if (text.ends_with('d')) {
    int days = 0;
    const char* end = text.data() + text.size() - 1;
    const auto [stop, error] = std::from_chars(text.data(), end, days);
    if (error == std::errc() && stop == end) return clock::Duration::seconds(86400LL * days);
  } else if (auto d = clock::parse_go_duration(text)) {
    return *d;
  }
  return wrong_usage(fmt::format("unable to parse '{}' as an age: want 10m, 3h or 1d", text));
}

bool SelectionFlags::is_given() const {
  return !labels.empty() || !fields.empty() || !status.empty() || !prefix.empty() ||
         !since.empty() || !older.empty() || running || completed || resubmitted;
}

void add_selectors(Command command, SelectionFlags& o) {
  command.add_option("-l,--selector", o.labels, "label selector, e.g. a=b,c!=d");
  command.add_option("--field-selector", o.fields, "field selector, e.g. metadata.name=x");
}

void add_filters(Command command, SelectionFlags& o) {
  add_selectors(command, o);
  command.add_option("--status", o.status, "only these phases, with commas between")
      .split_at_commas();
  command.add_option("--prefix", o.prefix, "only names that begin so");
  command.add_option("--older", o.older, "only those that ended longer ago: 10m, 3h, 1d");
  command.add_flag("--completed", o.completed, "only those that have ended");
  command.add_flag("--resubmitted", o.resubmitted, "only those that were resubmitted");
  command.add_flag("-A,--all-namespaces", o.all_namespaces, "those of all namespaces");
}

diag::Result<std::vector<store::WorkflowRow>> filter_rows(std::vector<store::WorkflowRow> rows,
                                                          const SelectionFlags& o,
                                                          clock::Instant now) {
  if (o.completed && o.running) {
    return wrong_usage("--completed and --running cannot be used together");
  }
  TRY(const spec::Selector selector, spec::Selector::parse(o.labels));
  TRY(const std::vector<FieldTerm> terms, parse_field_selector(o.fields));
  clock::Instant created_after;
  clock::Instant finished_before;
  if (!o.since.empty()) {
    TRY(const clock::Duration age, parse_age(o.since));
    created_after = now - age;
  }
  if (!o.older.empty()) {
    TRY(const clock::Duration age, parse_age(o.older));
    finished_before = now - age;
  }
  std::erase_if(rows, [&](const store::WorkflowRow& row) {
    const bool is_over = row.finished_at.is_set();
    if ((o.running && is_over) || (o.completed && !is_over)) return true;
    if (!row.name.starts_with(o.prefix) || !matches(row, terms)) return true;
    if (created_after.is_set() && row.created_at <= created_after) return true;
    if (finished_before.is_set() && (!is_over || row.finished_at >= finished_before)) return true;
    if (!o.status.empty() && std::ranges::find(o.status, phase_of(row)) == o.status.end()) {
      return true;
    }
    if (o.labels.empty() && !o.resubmitted) return false;
    const spec::Labels labels = labels_of_row(row);
    return !selector.matches(labels) || (o.resubmitted && !labels.contains(kResubmittedLabel));
  });
  return rows;
}

diag::Result<std::vector<store::WorkflowRow>> select_workflows(store::Store& store,
                                                               const Session& session,
                                                               const SelectionFlags& o,
                                                               bool brief) {
  const std::string space = o.all_namespaces ? "" : session.name_space;
  TRY(std::vector<store::WorkflowRow> rows, store.list_workflows(space, brief));
  return filter_rows(std::move(rows), o, now());
}

diag::Result<std::vector<store::WorkflowRow>> chosen_workflows(
    store::Store& store, const Session& session, const std::vector<std::string>& names,
    const SelectionFlags& o) {
  if (names.empty() && !o.is_given()) {
    return wrong_usage("requires either selector or workflow");
  }
  std::vector<store::WorkflowRow> rows;
  if (o.is_given()) {
    TRY(rows, select_workflows(store, session, o));
  }
  for (const std::string& name : names) {
    TRY(store::WorkflowRow row, find_workflow(store, session, name));
    rows.push_back(std::move(row));
  }
  std::set<std::string> seen;
  std::erase_if(rows, [&](const store::WorkflowRow& row) { return !seen.insert(row.uid).second; });
  return rows;
}

}  // namespace tiphys::cli
