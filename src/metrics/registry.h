// Samples put together as Prometheus has them: one series for each set of labels.
//
// Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "metrics/samples.h"
#include "value/value.h"

namespace tiphys::metrics {

class Registry {
 public:
  /// Counters add up, gauges follow their operation in the order of time, histograms count.
  explicit Registry(std::vector<Sample> samples);

  /// Prometheus' text format; names are `argo_workflows_NAME`.
  [[nodiscard]] std::string prometheus_text() const;
  /// `NAME{labels} VALUE` in lines, as declared; a histogram as its count and sum.
  [[nodiscard]] std::vector<std::string> lines() const;
  /// A list of {name, type, help, labels, value}; histograms have buckets, count and sum.
  [[nodiscard]] value::Value as_value() const;
  [[nodiscard]] bool is_empty() const { return metrics_.empty(); }

 private:
  struct Series {
    double value = 0;                       // a histogram's sum
    std::vector<std::int64_t> counts = {};  // of each bucket, and beyond the last
    std::int64_t count = 0;
  };
  struct Metric {
    Sample::Kind kind = Sample::Kind::kCounter;
    std::string help;
    std::vector<double> buckets;
    std::map<std::vector<std::pair<std::string, std::string>>, Series> series;
  };
  std::map<std::string, Metric> metrics_;
};

}  // namespace tiphys::metrics
