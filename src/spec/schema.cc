#include "spec/schema.h"

#include <strings.h>

#include <algorithm>
#include <map>

#include "spec/schema_table.h"

namespace tiphys::spec {
namespace {

using Schema = std::map<std::string_view, Fields>;

/// Takes the text up to `separator` off the front of `rest`.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view head = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return head;
}

void add_lines(Schema& schema, std::string_view text) {
  while (!text.empty()) {
    std::string_view line = take(text, '\n');
    Fields& fields = schema[take(line, '|')];
    while (!line.empty()) {
      std::string_view code = take(line, '|');
      Field field;
      field.name = take(code, ':');
      field.always = code.ends_with('!');
      if (field.always) code.remove_suffix(1);
      field.type = code;
      fields.push_back(field);
    }
  }
}

const Schema& schema() {
  static const Schema table = [] {
    Schema made;
    for (const char* text : {kArgoFields, kCoreFieldsA, kCoreFieldsB}) add_lines(made, text);
    return made;
  }();
  return table;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// Levenshtein distance of lower-cased texts.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const bool same = (a[i - 1] | 0x20) == (b[j - 1] | 0x20);
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (same ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

const Fields* fields_of(std::string_view type) {
  const auto it = schema().find(type);
  return it == schema().end() ? nullptr : &it->second;
}

const Field* find_field(const Fields& fields, std::string_view name, bool ignore_case) {
  for (const Field& f : fields) {
    if (f.name == name) return &f;
  }
  if (!ignore_case) return nullptr;
  for (const Field& f : fields) {
    if (equal_ignoring_case(f.name, name)) return &f;
  }
  return nullptr;
}

std::string_view type_of_kind(std::string_view kind) {
  static constexpr std::string_view kTypes[] = {
      "v1alpha1.Workflow",     "v1alpha1.WorkflowTemplate",     "v1alpha1.ClusterWorkflowTemplate",
      "v1alpha1.CronWorkflow", "v1alpha1.WorkflowEventBinding", "v1.Secret",
      "v1.ConfigMap",          "v1.PersistentVolumeClaim",      "v1alpha1.ExecutorPlugin"};
  for (const std::string_view type : kTypes) {
    if (type.substr(type.find('.') + 1) == kind) return type;
  }
  return {};
}

std::string go_type_name(TypeCode type) {
  if (type.starts_with("*")) return go_type_name(type.substr(1));
  if (type.starts_with("[]")) {
    const TypeCode element = type.substr(2);
    return (element.starts_with("*") ? "[]*" : "[]") + go_type_name(element);
  }
  if (type.starts_with("{}")) return "map[string]" + go_type_name(type.substr(2));
  if (type == "s" || type == "A" || type == "T" || type == "D") return "string";
  if (type == "b") return "bool";
  if (type == "i") return "int64";
  if (type == "n" || type == "X") return "int32";
  if (type == "f" || type == "M") return "float64";
  if (type == "B") return "[]uint8";
  if (type == "Q") return "resource.Quantity";
  if (type == "P") return "v1alpha1.ParallelSteps";
  if (type.starts_with("meta.")) return "v1." + std::string(type.substr(5));
  if (type.starts_with("policy.")) return "v1." + std::string(type.substr(7));
  if (type.find('.') != TypeCode::npos) return std::string(type);
  return "map[string]interface {}";
}

std::string nearest_name(std::string_view name, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t best_distance = name.size() < 4 ? 2 : name.size() / 3 + 2;  // farther is no help
  for (const std::string_view candidate : candidates) {
    const std::size_t longer = std::max(name.size(), candidate.size());
    if (longer - std::min(name.size(), candidate.size()) >= best_distance) continue;
    const std::size_t d = distance(name, candidate);
    if (d < best_distance && d < candidate.size()) {
      best = candidate;
      best_distance = d;
    }
  }
  return std::string(best);
}

}  // namespace tiphys::spec
