// The metrics that workflows and templates declare (`metrics.prometheus`), with the values that a
// workflow gave them.
//
// They follow from what is stored of the workflow: nothing is counted twice after a crash, and
// nothing is lost. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "clock/instant.h"
#include "metrics/node_template.h"
#include "value/value.h"

namespace tiphys::metrics {

/// One value that a workflow or a node gave to a metric.
struct Sample {
  enum class Kind { kCounter, kGauge, kHistogram };
  enum class Operation { kSet, kAdd, kSub };  // of gauges

  std::string name;  // as declared
  std::string help;
  std::vector<std::pair<std::string, std::string>> labels;  // by key
  Kind kind = Kind::kCounter;
  Operation operation = Operation::kSet;
  std::vector<double> buckets = {};  // upper bounds of a histogram, rising
  double value = 0;
  clock::Instant at;  // the last value of a gauge counts
};

struct Samples {
  std::vector<Sample> samples;
  std::vector<std::string> problems;  // what could not be emitted, in Argo's words
};

/// Adds the samples of a Workflow object: those of nodes that have ended, in the order of their
/// ends, those of the workflow when it has, and realtime gauges of what runs at `now`.
void collect(const value::Value& workflow, const FindTemplate& find, clock::Instant now,
             Samples& out);

}  // namespace tiphys::metrics
