#include "store/postgres_batch.h"

#include <map>
#include <string_view>
#include <utility>

namespace tiphys::store {

namespace {

using Texts = std::vector<std::string_view>;
using Numbers = std::vector<std::int64_t>;

// A statement cannot write a row twice: of rows with the same key the last counts.
template <typename Row, typename KeyOf>
std::vector<const Row*> last_of_each(const std::vector<Row>& rows, const KeyOf& key_of) {
  std::map<decltype(key_of(rows.front())), std::size_t> at;
  std::vector<const Row*> out;
  for (const Row& row : rows) {
    const auto [known, is_new] = at.emplace(key_of(row), out.size());
    if (is_new) {
      out.push_back(&row);
    } else {
      out[known->second] = &row;
    }
  }
  return out;
}

PgParams row_params(const WorkflowRow& r) {
  PgParams p;
  p.text(r.uid).text(r.name_space).text(r.name).text(r.phase).text(r.message).text(r.progress);
  p.number(r.created_at.ns).number(r.started_at.ns).number(r.finished_at.ns);
  p.number(r.suspended ? 1 : 0).text(r.metadata_json).text(r.status_json);
  return p.number(static_cast<std::int64_t>(r.shown_sequence));
}

#define TIPHYS_INSERT_WORKFLOW                                                               \
  "INSERT INTO tiphys.workflows VALUES ($1,$2,$3,$4,$5,$6,$7::bigint,$8::bigint,$9::bigint," \
  "$10::bigint,$11,$12,$13::bigint)"

void add_workflow(std::vector<PgCall>& calls, const WorkflowRow& r) {
  calls.push_back(
      {TIPHYS_INSERT_WORKFLOW
       " ON CONFLICT (uid) DO UPDATE SET phase = excluded.phase, message = excluded.message, "
       "progress = excluded.progress, started_at = excluded.started_at, "
       "finished_at = excluded.finished_at, suspended = excluded.suspended, "
       "status_json = excluded.status_json, shown_sequence = excluded.shown_sequence, "
       "metadata_json = CASE WHEN excluded.metadata_json = '' THEN workflows.metadata_json "
       "ELSE excluded.metadata_json END",
       row_params(r)});
  calls.push_back({r.spec_json.empty()
                       ? "INSERT INTO tiphys.specs VALUES ($1,$2) ON CONFLICT (uid) DO NOTHING"
                       : "INSERT INTO tiphys.specs VALUES ($1,$2) ON CONFLICT (uid) DO UPDATE SET "
                         "json = excluded.json",
                   PgParams().text(r.uid).text(r.spec_json)});
}

PgCall nodes_call(const std::vector<NodeRow>& rows) {
  Texts uids;
  Texts records;
  Numbers indexes;
  for (const NodeRow* row : last_of_each(rows, [](const NodeRow& r) {
         return std::pair<std::string_view, std::uint32_t>(r.uid, r.index);
       })) {
    uids.push_back(row->uid);
    indexes.push_back(row->index);
    records.push_back(row->record);
  }
  return {
      "INSERT INTO tiphys.nodes SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[]) "
      "ON CONFLICT (uid, node_index) DO UPDATE SET record = excluded.record",
      PgParams().texts(uids).numbers(indexes).blobs(records)};
}

void add_deliveries(std::vector<PgCall>& calls, const std::vector<DeliveryRow>& rows) {
  Texts ids, uids, spaces, workflows, nodes, channels, kinds, destinations, states, reasons,
      memories;
  Numbers attempts, created, next, finished, statuses;
  for (const DeliveryRow* r :
       last_of_each(rows, [](const DeliveryRow& d) -> std::string_view { return d.id; })) {
    ids.push_back(r->id);
    uids.push_back(r->uid);
    spaces.push_back(r->name_space);
    workflows.push_back(r->workflow);
    nodes.push_back(r->node);
    channels.push_back(r->channel);
    kinds.push_back(r->kind);
    destinations.push_back(r->destination);
    states.push_back(r->state);
    attempts.push_back(r->attempts);
    created.push_back(r->created_at.ns);
    next.push_back(r->next_at.ns);
    finished.push_back(r->finished_at.ns);
    statuses.push_back(r->status);
    reasons.push_back(r->reason);
    memories.push_back(r->memory);
  }
  PgParams p;
  p.texts(ids).texts(uids).texts(spaces).texts(workflows).blobs(nodes).texts(channels);
  p.texts(kinds).blobs(destinations).texts(states).numbers(attempts).numbers(created);
  p.numbers(next).numbers(finished).numbers(statuses).blobs(reasons).blobs(memories);
  calls.push_back(
      {"INSERT INTO tiphys.deliveries (id, uid, name_space, workflow, node, channel, kind, "
       "destination, state, attempts, created_at, next_at, finished_at, status, reason, memory) "
       "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], "
       "$6::text[], $7::text[], $8::bytea[], $9::text[], $10::bigint[], $11::bigint[], "
       "$12::bigint[], $13::bigint[], $14::bigint[], $15::bytea[], $16::bytea[]) "
       "ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, "
       "next_at = excluded.next_at, kind = excluded.kind, destination = excluded.destination, "
       "finished_at = excluded.finished_at, status = excluded.status, reason = excluded.reason, "
       "memory = excluded.memory",
       std::move(p)});
  std::map<std::string_view, std::string_view> payloads;
  for (const DeliveryRow& r : rows) {
    if (!r.payload.empty()) payloads[r.id] = r.payload;
  }
  if (payloads.empty()) return;
  Texts owners, texts;
  for (const auto& [id, text] : payloads) {
    owners.push_back(id);
    texts.push_back(text);
  }
  calls.push_back(
      {"INSERT INTO tiphys.delivery_payloads SELECT d.number, p.json "
       "FROM unnest($1::text[], $2::bytea[]) AS p (id, json) "
       "JOIN tiphys.deliveries d ON d.id = p.id "
       "ON CONFLICT (number) DO UPDATE SET json = excluded.json",
       PgParams().texts(owners).blobs(texts)});
}

PgCall attempts_call(const std::vector<AttemptRow>& rows) {
  Texts ids, answers, errors;
  Numbers numbers, times, latencies, statuses;
  for (const AttemptRow* a : last_of_each(rows, [](const AttemptRow& r) {
         return std::pair<std::string_view, std::uint32_t>(r.delivery, r.number);
       })) {
    ids.push_back(a->delivery);
    numbers.push_back(a->number);
    times.push_back(a->at.ns);
    latencies.push_back(a->latency.ns);
    statuses.push_back(a->status);
    answers.push_back(a->answer);
    errors.push_back(a->error);
  }
  PgParams p;
  p.texts(ids).numbers(numbers).numbers(times).numbers(latencies).numbers(statuses);
  p.blobs(answers).blobs(errors);
  return {
      "INSERT INTO tiphys.delivery_attempts "
      "SELECT d.number, a.attempt, a.at, a.latency, a.status, a.answer, a.error "
      "FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], "
      "$6::bytea[], $7::bytea[]) AS a (id, attempt, at, latency, status, answer, error) "
      "JOIN tiphys.deliveries d ON d.id = a.id "
      "ON CONFLICT (number, attempt) DO UPDATE SET at = excluded.at, "
      "latency = excluded.latency, status = excluded.status, answer = excluded.answer, "
      "error = excluded.error",
      std::move(p)};
}

void add_rule_memory(std::vector<PgCall>& calls, const std::vector<RuleMemoryRow>& rows) {
  for (const RuleMemoryRow& r : rows) {
    if (r.json.empty()) {
      calls.push_back({"DELETE FROM tiphys.rule_memory WHERE rule = $1 AND key = $2",
                       PgParams().text(r.rule).text(r.key)});
      continue;
    }
    PgParams p;
    p.text(r.rule).text(r.key).text(r.json).number(r.due_at.ns).number(r.changed_at.ns);
    calls.push_back(
        {"INSERT INTO tiphys.rule_memory VALUES ($1,$2,$3,$4::bigint,$5::bigint) "
         "ON CONFLICT (rule, key) DO UPDATE SET json = excluded.json, "
         "due_at = excluded.due_at, changed_at = excluded.changed_at",
         std::move(p)});
  }
}

}  // namespace

PgCall events_call(const std::vector<EventRow>& events) {
  Texts uids;
  Texts payloads;
  Numbers sequences;
  for (const EventRow* e : last_of_each(events, [](const EventRow& r) {
         return std::pair<std::string_view, std::uint64_t>(r.uid, r.sequence);
       })) {
    uids.push_back(e->uid);
    sequences.push_back(static_cast<std::int64_t>(e->sequence));
    payloads.push_back(e->payload);
  }
  return {
      "INSERT INTO tiphys.events SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[]) "
      "ON CONFLICT (uid, sequence) DO UPDATE SET payload = excluded.payload",
      PgParams().texts(uids).numbers(sequences).blobs(payloads)};
}

std::vector<PgCall> creation_calls(const WorkflowRow& row, const EventRow& first) {
  return {{TIPHYS_INSERT_WORKFLOW, row_params(row)},
          {"INSERT INTO tiphys.specs VALUES ($1,$2)", PgParams().text(row.uid).text(row.spec_json)},
          events_call({first})};
}

std::vector<PgCall> calls_of(const Batch& batch) {
  std::vector<PgCall> calls;
  if (!batch.void_nodes_of.empty()) {
    calls.push_back({"DELETE FROM tiphys.nodes WHERE uid = ANY ($1::text[])",
                     PgParams().texts({batch.void_nodes_of.begin(), batch.void_nodes_of.end()})});
  }
  if (!batch.events.empty()) calls.push_back(events_call(batch.events));
  if (!batch.nodes.empty()) calls.push_back(nodes_call(batch.nodes));
  for (const WorkflowRow& row : batch.workflows) add_workflow(calls, row);
  if (!batch.deliveries.empty()) add_deliveries(calls, batch.deliveries);
  if (!batch.attempts.empty()) calls.push_back(attempts_call(batch.attempts));
  add_rule_memory(calls, batch.rule_memory);
  if (!batch.done_commands.empty()) {
    Numbers ids;
    for (const std::uint64_t id : batch.done_commands) ids.push_back(static_cast<std::int64_t>(id));
    calls.push_back(
        {"DELETE FROM tiphys.commands WHERE id = ANY ($1::bigint[])", PgParams().numbers(ids)});
  }
  return calls;
}
#undef TIPHYS_INSERT_WORKFLOW

}  // namespace tiphys::store
