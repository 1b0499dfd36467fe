#include "conformance/rules.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <set>
#include <span>
#include <string_view>

namespace tiphys::conformance {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr std::string_view kDeadline =
    "Pod was active on the node longer than the specified deadline";

const Value& field_of(const Map& map, std::string_view key) {
  static const Value nothing;
  const Value* found = map.find(key);
  return found == nullptr ? nothing : *found;
}

std::string_view text_of(const Map& map, std::string_view key) {
  return field_of(map, key).string_or("");
}

void set_or_erase(Map& map, const char* key, Value v) {
  const bool is_empty = (v.is_map() && v.map().empty()) || (v.is_list() && v.list().empty());
  if (is_empty) {
    map.erase(key);
  } else {
    map.set(key, std::move(v));
  }
}

// One step of a path: `outputs`, or `parameters[x]`, where `*` is any element.
struct Part {
  std::string key;
  std::string element;
};

std::vector<Part> parts_of(std::string_view path) {
  std::vector<Part> parts;
  while (!path.empty()) {
    Part part;
    std::size_t at = path.find_first_of(".[");
    part.key = path.substr(0, at);
    path.remove_prefix(std::min(path.size(), part.key.size()));
    if (path.starts_with('[')) {
      const std::size_t end = std::min(path.find(']'), path.size() - 1);
      part.element = path.substr(1, end - 1);
      path.remove_prefix(end + 1);
    }
    if (path.starts_with('.')) path.remove_prefix(1);
    parts.push_back(std::move(part));
  }
  return parts;
}

Value without(const Value& v, std::span<const Part> parts) {
  if (!v.is_map() || parts.empty()) return v;
  const Part& part = parts.front();
  Map copy = v.map();
  const Value* member = copy.find(part.key);
  if (member == nullptr) return v;
  if (part.element.empty()) {
    if (parts.size() == 1) {
      copy.erase(part.key);
    } else {
      copy.set(part.key, without(Value(*member), parts.subspan(1)));
    }
    return copy;
  }
  List list = member->list();
  for (Value& element : list) {
    const bool is_it = part.element == "*" || element["name"].string_or("") == part.element;
    if (is_it) element = without(element, parts.subspan(1));
  }
  copy.set(part.key, std::move(list));
  return copy;
}

void drop_of_node(Map& node, std::string_view path) {
  const std::vector<Part> parts = parts_of(path);
  const Value changed = without(Value(node), parts);
  node = changed.map();
  for (const char* key : {"inputs", "outputs"}) set_or_erase(node, key, field_of(node, key));
}

// The names of edges, without those that `is_gone` tells, renamed by `renamed`.
void change_edges(Map& node, const std::function<bool(const std::string&)>& is_gone,
                  const std::function<std::string(const std::string&)>& renamed) {
  for (const char* key : {"children", "outboundNodes"}) {
    if (node.find(key) == nullptr) continue;
    std::set<std::string> kept;
    for (const Value& name : field_of(node, key).list()) {
      const std::string text(name.string_or(""));
      if (!is_gone(text)) kept.insert(renamed(text));
    }
    set_or_erase(node, key, List(kept.begin(), kept.end()));
  }
}

// `a(12)` as `a(#)`.
std::string any_attempt(const std::string& name) {
  if (!name.ends_with(')')) return name;
  std::size_t at = name.size() - 1;
  while (at > 0 && std::isdigit(static_cast<unsigned char>(name[at - 1])) != 0) --at;
  if (at == name.size() - 1 || at == 0 || name[at - 1] != '(') return name;
  return name.substr(0, at) + "#)";
}

std::string exchanged(std::string_view text, const Record::Words& words) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto* best = static_cast<const Record::Words::value_type*>(nullptr);
    for (const auto& pair : words) {
      const bool fits = !pair.first.empty() && text.substr(at).starts_with(pair.first);
      if (fits && (best == nullptr || pair.first.size() > best->first.size())) best = &pair;
    }
    out += best == nullptr ? std::string(1, text[at]) : best->second;
    at += best == nullptr ? 1 : best->first.size();
  }
  return out;
}

Value exchanged_value(const Value& v, const Record::Words& words) {
  if (v.is_string()) return exchanged(v.as_string(), words);
  if (v.is_list()) {
    List list;
    for (const Value& element : v.list()) list.push_back(exchanged_value(element, words));
    return list;
  }
  if (!v.is_map()) return v;
  Map map;
  for (const auto& [key, member] : v.map()) map.set(key, exchanged_value(member, words));
  return map;
}

void sort_nodes(Form& form) {
  std::ranges::stable_sort(form.nodes, {}, [](const Map& node) { return text_of(node, "name"); });
}

std::set<std::string> names_in(const Form& form) {
  std::set<std::string> names;
  for (const Map& node : form.nodes) names.emplace(text_of(node, "name"));
  return names;
}

}  // namespace

Form::Form(const Value& form) {
  for (const auto& [key, v] : form.map()) {
    if (key != "nodes") fields.set(key, v);
  }
  for (const Value& node : form["nodes"].list()) nodes.push_back(node.map());
}

void drop_unfixed(Form& form, bool keeps_keys) {
  const auto drop_keys = [&](Map& map, const char* exchange) {
    if (keeps_keys || map.find(exchange) == nullptr) return;
    const std::vector<Part> path = parts_of(std::string(exchange) + ".artifacts[*].key");
    map = without(Value(map), path).map();
  };
  drop_keys(form.fields, "outputs");
  for (Map& node : form.nodes) {
    drop_keys(node, "inputs");
    drop_keys(node, "outputs");
    if (text_of(node, "message") == kDeadline) drop_of_node(node, "outputs.exitCode");
  }
}

void drop_path(Form& form, const std::string& path) {
  constexpr std::string_view kNodes = "nodes[";
  if (!path.starts_with(kNodes)) {
    form.fields = without(Value(form.fields), parts_of(path)).map();
    return;
  }
  // Names hold brackets, too, so the name ends at whichever `].` makes it one.
  const std::string_view rest = std::string_view(path).substr(kNodes.size());
  for (std::size_t end = rest.find("]."); end != std::string_view::npos;
       end = rest.find("].", end + 1)) {
    std::string wanted(rest.substr(0, end));
    const bool is_any = wanted == "*";
    if (wanted.starts_with('~')) wanted.replace(0, 1, text_of(form.fields, "name"));
    bool is_found = is_any;
    for (Map& node : form.nodes) {
      if (!is_any && text_of(node, "name") != wanted) continue;
      is_found = true;
      drop_of_node(node, rest.substr(end + 2));
    }
    if (is_found) return;
  }
}

void drop_attempts(Form& form) {
  std::set<std::string> gone;
  for (const Map& node : form.nodes) {
    if (field_of(node, "nodeFlag")["retried"].bool_or(false)) gone.emplace(text_of(node, "name"));
  }
  for (bool has_more = true; has_more;) {
    has_more = false;
    for (const Map& node : form.nodes) {
      if (!gone.contains(std::string(text_of(node, "boundary")))) continue;
      has_more = gone.emplace(text_of(node, "name")).second || has_more;
    }
  }
  std::erase_if(form.nodes,
                [&](const Map& node) { return gone.contains(std::string(text_of(node, "name"))); });
  for (Map& node : form.nodes) {
    // What follows the last attempt hangs on that attempt, whichever it was.
    change_edges(
        node, [](const std::string&) { return false; },
        [&](const std::string& name) { return gone.contains(name) ? any_attempt(name) : name; });
    if (text_of(node, "type") != "Retry") continue;
    node.erase("children");
    node.erase("outboundNodes");
  }
  form.fields.erase("progress");
}

std::vector<std::string> drop_more_hooks(Form& golden, Form& engine) {
  const std::set<std::string> known = names_in(golden);
  std::vector<std::string> roots;
  std::set<std::string> more;
  for (const Map& node : engine.nodes) {
    const std::string name(text_of(node, "name"));
    const bool is_hook = field_of(node, "nodeFlag")["hooked"].bool_or(false) &&
                         name.find(".hooks.") != std::string::npos;
    if (is_hook && !known.contains(name)) roots.push_back(name);
  }
  if (roots.empty()) return roots;
  for (const std::string& name : names_in(engine)) {
    for (const std::string& root : roots) {
      const bool is_below = name.starts_with(root) &&
                            (name.size() == root.size() ||
                             std::string_view("[.(").find(name[root.size()]) != std::string::npos);
      if (is_below) more.insert(name);
    }
  }
  std::erase_if(engine.nodes,
                [&](const Map& node) { return more.contains(std::string(text_of(node, "name"))); });
  for (Map& node : engine.nodes) {
    change_edges(
        node, [&](const std::string& name) { return more.contains(name); },
        [](const std::string& name) { return name; });
  }
  golden.fields.erase("progress");
  engine.fields.erase("progress");
  return roots;
}

void exchange_words(Form& form, const Record::Words& words) {
  form.fields = exchanged_value(Value(form.fields), words).map();
  for (Map& node : form.nodes) {
    node = exchanged_value(Value(node), words).map();
    change_edges(
        node, [](const std::string&) { return false; },
        [](const std::string& name) { return name; });
  }
  sort_nodes(form);
}

}  // namespace tiphys::conformance
