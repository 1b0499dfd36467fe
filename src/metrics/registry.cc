#include "metrics/registry.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::metrics {

namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;
using value::List;
using value::Map;
using value::Value;

constexpr const char* kPrefix = "argo_workflows_";

std::string escaped(std::string_view text, bool escapes_quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && escapes_quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string label_text(Labels labels, const std::string& bound = "") {
  if (!bound.empty()) labels.emplace_back("le", bound);
  if (labels.empty()) return "";
  std::string out;
  for (const auto& [key, v] : labels) {
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "{" : ",", key, escaped(v, true));
  }
  return out + "}";
}

const char* type_of(Sample::Kind kind) {
  return kind == Sample::Kind::kCounter ? "counter"
         : kind == Sample::Kind::kGauge ? "gauge"
                                        : "histogram";
}

std::string bound_of(const std::vector<double>& buckets, std::size_t i) {
  return i < buckets.size() ? fmt::format("{}", buckets[i]) : "+Inf";
}

}  // namespace

Registry::Registry(std::vector<Sample> samples) {
  std::ranges::stable_sort(samples, {}, &Sample::at);
  for (const Sample& s : samples) {
    Metric& metric = metrics_[s.name];
    if (metric.series.empty()) {
      metric.kind = s.kind;
      metric.help = s.help;
      metric.buckets = s.buckets;
    }
    if (metric.kind != s.kind) continue;  // Argo, too, keeps the first of its name
    Series& series = metric.series[s.labels];
    if (s.kind == Sample::Kind::kHistogram) {
      series.counts.resize(metric.buckets.size() + 1);
      const auto at = std::ranges::lower_bound(metric.buckets, s.value);
      ++series.counts[static_cast<std::size_t>(at - metric.buckets.begin())];
      ++series.count;
      series.value += s.value;
    } else if (s.kind == Sample::Kind::kCounter || s.operation == Sample::Operation::kAdd) {
      series.value += s.value;
    } else if (s.operation == Sample::Operation::kSub) {
      series.value -= s.value;
    } else {
      series.value = s.value;
    }
  }
}

std::string Registry::prometheus_text() const {
  std::string out;
  for (const auto& [name, metric] : metrics_) {
    const std::string full = kPrefix + name;
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", full, escaped(metric.help, false), full,
                       type_of(metric.kind));
    for (const auto& [labels, series] : metric.series) {
      if (metric.kind != Sample::Kind::kHistogram) {
        out += fmt::format("{}{} {}\n", full, label_text(labels), series.value);
        continue;
      }
      std::int64_t below = 0;
      for (std::size_t i = 0; i < series.counts.size(); ++i) {
        below += series.counts[i];
        out += fmt::format("{}_bucket{} {}\n", full,
                           label_text(labels, bound_of(metric.buckets, i)), below);
      }
      out += fmt::format("{0}_sum{1} {2}\n{0}_count{1} {3}\n", full, label_text(labels),
                         series.value, series.count);
    }
  }
  return out;
}

std::vector<std::string> Registry::lines() const {
  std::vector<std::string> out;
  for (const auto& [name, metric] : metrics_) {
    for (const auto& [labels, series] : metric.series) {
      const bool is_histogram = metric.kind == Sample::Kind::kHistogram;
      out.push_back(is_histogram ? fmt::format("{}{} count {} sum {}", name, label_text(labels),
                                               series.count, series.value)
                                 : fmt::format("{}{} {}", name, label_text(labels), series.value));
    }
  }
  return out;
}

Value Registry::as_value() const {
  List out;
  for (const auto& [name, metric] : metrics_) {
    for (const auto& [labels, series] : metric.series) {
      Map label_map;
      for (const auto& [key, v] : labels) label_map.set(key, v);
      Map one = {{"name", name},
                 {"type", type_of(metric.kind)},
                 {"help", metric.help},
                 {"labels", std::move(label_map)}};
      if (metric.kind != Sample::Kind::kHistogram) {
        one.set("value", series.value);
        out.emplace_back(std::move(one));
        continue;
      }
      List buckets;
      for (std::size_t i = 0; i < series.counts.size(); ++i) {
        buckets.push_back(Map{{"le", bound_of(metric.buckets, i)}, {"count", series.counts[i]}});
      }
      one.set("buckets", std::move(buckets));
      one.set("count", series.count);
      one.set("sum", series.value);
      out.emplace_back(std::move(one));
    }
  }
  return out;
}

}  // namespace tiphys::metrics
