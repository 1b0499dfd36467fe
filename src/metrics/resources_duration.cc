#include "metrics/resources_duration.h"

#include <array>
#include <charconv>
#include <string>

#include "value/json.h"

namespace tiphys::metrics {

namespace {

using value::Value;

struct Suffix {
  std::string_view text;
  double factor;
};

constexpr std::array<Suffix, 14> kSuffixes = {{{"", 1},
                                               {"n", 1e-9},
                                               {"u", 1e-6},
                                               {"m", 1e-3},
                                               {"k", 1e3},
                                               {"M", 1e6},
                                               {"G", 1e9},
                                               {"T", 1e12},
                                               {"P", 1e15},
                                               {"Ki", 1024.0},
                                               {"Mi", 1024.0 * 1024},
                                               {"Gi", 1024.0 * 1024 * 1024},
                                               {"Ti", 1024.0 * 1024 * 1024 * 1024},
                                               {"Pi", 1024.0 * 1024 * 1024 * 1024 * 1024}}};

constexpr double kCpu = 1000;                           // thousandths of 1
constexpr double kMemory = 100.0 * 1024 * 1024 * 1000;  // thousandths of 100Mi

double asked_for(const Value& resources, std::string_view name, double otherwise) {
  for (const char* kind : {"requests", "limits"}) {
    const Value& v = resources[kind][name];
    if (v.is_null()) continue;
    const auto quantity = milli_quantity(v.is_string() ? v.as_string() : value::to_json(v));
    if (quantity) return *quantity;
  }
  return otherwise;
}

}  // namespace

std::optional<double> milli_quantity(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Suffix& suffix : kSuffixes) {
    if (rest == suffix.text) return number * suffix.factor * 1000;
  }
  return std::nullopt;
}

ResourcesDuration resources_duration(const Value& body, std::int64_t seconds) {
  ResourcesDuration sum;
  const auto add = [&](const Value& container) {
    const Value& resources = container["resources"];
    const auto age = static_cast<double>(seconds);
    sum.cpu += static_cast<std::int64_t>(asked_for(resources, "cpu", 100) * age / kCpu);
    sum.memory +=
        static_cast<std::int64_t>(asked_for(resources, "memory", kMemory) * age / kMemory);
  };
  for (const char* kind : {"container", "script"}) {
    if (body[kind].is_map()) add(body[kind]);
  }
  for (const Value& c : body["containerSet"]["containers"].list()) add(c);
  for (const char* kind : {"initContainers", "sidecars"}) {
    for (const Value& c : body[kind].list()) add(c);
  }
  return sum;
}

}  // namespace tiphys::metrics
