#include "spec/manifest.h"

#include <fmt/format.h>

#include "spec/decode.h"
#include "spec/json_pointer.h"
#include "spec/schema.h"
#include "spec/yaml_reader.h"
#include "value/json.h"

namespace tiphys::spec {
namespace {

using diag::Diagnostic;
using diag::Severity;
using value::Value;

/// A part of a file between separators, and the line at which it begins.
struct Part {
  std::string_view text;
  int first_line = 1;
};

/// Splits where a line begins with `---`, as Argo does: also in a block scalar without indentation.
std::vector<Part> split_documents(std::string_view text) {
  std::vector<Part> parts;
  Part part{.text = {}};
  for (;;) {
    const std::size_t end = text.find("\n---");
    part.text = text.substr(0, end);
    parts.push_back(part);
    if (end == std::string_view::npos) return parts;
    // The line break in front belongs to the separator, and the rest of its line to the next part.
    for (const char c : part.text) part.first_line += c == '\n' ? 1 : 0;
    ++part.first_line;
    text.remove_prefix(end + 4);
  }
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

/// Reads one part; JSON that is no YAML (surrogate pairs, tabs) is read without positions.
diag::Result<YamlDocument> read_part(const Part& part, const std::string& file) {
  auto document = read_yaml(part.text, {.file = file, .first_line = part.first_line});
  if (document || is_blank(part.text)) return document;
  const char first = part.text[part.text.find_first_not_of(" \t\r\n")];
  if (first != '{' && first != '[') return document;
  auto json = value::parse_json(part.text);
  if (!json) return document;
  auto positions = std::make_shared<Positions>(file, std::make_shared<Lines>("", part.first_line));
  positions->set_value(Positions::kRoot, 0);
  return YamlDocument{std::move(*json), std::move(positions)};
}

void report(const Flaw& flaw, const Positions& positions, std::vector<Diagnostic>& findings) {
  Diagnostic d;
  d.severity = flaw.is_ignored ? Severity::kWarning : Severity::kError;
  d.error = {diag::Code::kInvalidManifest, flaw.message,
             flaw.is_unknown_field ? positions.key(flaw.pointer) : positions.value(flaw.pointer)};
  d.suggestion = flaw.suggestion;
  findings.push_back(std::move(d));
}

void report(diag::Error error, Severity severity, std::vector<Diagnostic>& findings) {
  findings.push_back({severity, std::move(error), ""});
}

/// Where the results go.
struct Sink {
  std::vector<Manifest>& manifests;
  std::vector<Diagnostic>& findings;
  UnknownFields unknown;
};

void add_object(const Value& object, std::shared_ptr<const Positions> positions, Sink& sink);

void add_list(const Value& object, const Positions& positions, Sink& sink) {
  std::size_t i = 0;
  for (const Value& item : object["items"].list()) {
    auto part = std::make_shared<Positions>(positions.below(fmt::format("/items/{}", i++)));
    add_object(item, std::move(part), sink);
  }
}

/// What the object says it is: a kind that nobody knows is most likely misspelt.
void check_kind(const Value& object, std::string_view kind, const Positions& positions,
                Sink& sink) {
  const auto warn = [&](const char* field, std::string message, std::string suggestion) {
    sink.findings.push_back(
        {Severity::kWarning,
         {diag::Code::kInvalidManifest, std::move(message), positions.value(pointer_to("", field))},
         std::move(suggestion)});
  };
  const std::string_view type = type_of_kind(kind);
  if (kind == "NotificationChannel" || kind == "Notification") return;  // notify/ knows its fields
  if (type.empty()) {
    const std::string near = nearest_name(
        kind, {"Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow", "Secret",
               "ConfigMap", "WorkflowEventBinding", "PersistentVolumeClaim", "ExecutorPlugin",
               "NotificationChannel", "Notification"});
    warn("kind", fmt::format("objects of kind '{}' have no effect here and are ignored", kind),
         near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
    return;
  }
  const std::string_view wanted = type.starts_with("v1.") ? "v1" : "argoproj.io/v1alpha1";
  const std::string_view version = object["apiVersion"].string_or("");
  if (version.empty() || version == wanted) return;
  warn("apiVersion", fmt::format("'{}' is not the apiVersion of a {}", version, kind),
       fmt::format("write {}", wanted));
}

void add_object(const Value& object, std::shared_ptr<const Positions> positions, Sink& sink) {
  const std::string kind(object["kind"].string_or(""));
  if (object.is_map() && kind.empty()) {
    report({diag::Code::kInvalidManifest, "this document has no kind and is ignored",
            positions->value("")},
           Severity::kWarning, sink.findings);
    return;
  }
  if (kind == "List" || (object["items"].is_list() && kind.ends_with("List"))) {
    add_list(object, *positions, sink);
    return;
  }
  if (object.is_map()) check_kind(object, kind, *positions, sink);
  Manifest made;
  made.kind = kind;
  made.object = object;
  const std::string_view type = type_of_kind(kind);
  if (!type.empty() || !object.is_map()) {
    std::vector<Flaw> flaws;
    made.object = decode_object(object, type.empty() ? "meta.ObjectMeta" : type, {}, flaws);
    bool is_sound = true;
    for (Flaw& flaw : flaws) {
      flaw.is_ignored |= flaw.is_unknown_field && sink.unknown == UnknownFields::kWarning;
      report(flaw, *positions, sink.findings);
      is_sound = is_sound && flaw.is_ignored;
    }
    if (!is_sound) return;
  }
  const Value& metadata = made.object["metadata"];
  made.name = metadata["name"].string_or("");
  made.generate_name = metadata["generateName"].string_or("");
  made.name_space = metadata["namespace"].string_or("");
  made.positions = std::move(positions);
  sink.manifests.push_back(std::move(made));
}

}  // namespace

std::vector<Manifest> load_manifests(std::string_view text, const std::string& file,
                                     std::vector<Diagnostic>& findings, UnknownFields unknown) {
  std::vector<Manifest> manifests;
  Sink sink{manifests, findings, unknown};
  for (const Part& part : split_documents(text)) {
    if (is_blank(part.text)) continue;
    auto document = read_part(part, file);
    if (!document) {
      const bool may_be_tab = document.error().message.ends_with("cannot start any token");
      report(std::move(document).error(), Severity::kError, findings);
      const bool is_tab = may_be_tab && part.text.find('\t') != std::string_view::npos;
      if (is_tab) findings.back().suggestion = "YAML takes no tabs in front of a line, but blanks";
      continue;
    }
    if (document->value.is_null()) continue;  // only comments
    add_object(document->value, std::move(document->positions), sink);
  }
  return manifests;
}

}  // namespace tiphys::spec
