#include "conformance/record.h"

#include <algorithm>

namespace tiphys::conformance {

namespace {

using value::Value;

Record record_from(const Value& v) {
  Record record;
  record.name = v["name"].string_or("");
  record.workflow = v["workflow"].string_or(record.name);
  record.group = v["class"].string_or("portable");
  for (const Value& path : v["ignore"].list()) record.ignored.emplace_back(path.string_or(""));
  for (const Value& variant : v["variants"].list()) {
    Record::Words words;
    for (const auto& [from, to] : variant.map()) words.emplace_back(from, to.string_or(""));
    record.variants.push_back(std::move(words));
  }
  record.has_free_attempts = v["attempts"].string_or("") == "free";
  record.allows_more_hooks = v["hooks"].string_or("") == "superset";
  record.is_rejected = v["rejected"].bool_or(false);
  record.resumes = static_cast<int>(v["resume"].int_or(0));
  return record;
}

}  // namespace

std::vector<Record> read_records(const Value& manifest) {
  std::vector<Record> records;
  const Value& list = manifest.is_map() ? manifest["goldens"] : manifest;
  for (const Value& v : list.list()) records.push_back(record_from(v));
  return records;
}

Record record_of(const std::vector<Record>& records, const std::string& name) {
  const auto it = std::ranges::find(records, name, &Record::name);
  if (it != records.end()) return *it;
  Record record;
  record.name = record.workflow = name;
  return record;
}

}  // namespace tiphys::conformance
