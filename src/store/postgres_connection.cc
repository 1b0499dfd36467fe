#include "store/postgres_connection.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "store/postgres_address.h"

namespace tiphys::store {

namespace {

// For what the address leaves open. A server that cannot be reached any more is noticed in seconds.
struct Default {
  const char* key;
  const char* value;
};
constexpr Default kDefaults[] = {{"application_name", "tiphys"}, {"connect_timeout", "5"},
                                 {"client_encoding", "UTF8"},    {"keepalives_idle", "5"},
                                 {"keepalives_interval", "2"},   {"keepalives_count", "3"},
                                 {"tcp_user_timeout", "10000"}};

void ignore_notice(void* /*unused*/, const char* /*text*/) {}

constexpr std::size_t kPrepares = static_cast<std::size_t>(-1);  // a message that is no call

// The address as libpq wants it.
struct Words {
  std::vector<const char*> keys;
  std::vector<const char*> values;
};

diag::Error io(std::string text) { return {.code = diag::Code::kIo, .message = std::move(text)}; }

Words words_of(const PQconninfoOption* options) {
  Words out;
  for (const PQconninfoOption* o = options; o->keyword != nullptr; ++o) {
    const char* value = o->val;
    for (const Default& d : kDefaults) {
      if (value == nullptr && std::string_view(o->keyword) == d.key) value = d.value;
    }
    if (value == nullptr) continue;
    out.keys.push_back(o->keyword);
    out.values.push_back(value);
  }
  out.keys.push_back(nullptr);
  out.values.push_back(nullptr);
  return out;
}

// The server's own: it gives up on a client that is gone, and a commit is on its disk.
constexpr const char* kSessionSql =
    "SET tcp_user_timeout = 10000; SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; "
    "SET lock_timeout = 10000; SET client_min_messages = warning; "
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'";

}  // namespace

PgConnection::PgConnection(const Libpq& pq, PGconn* connection, const std::string& url)
    : pq_(pq), connection_(connection), shown_(shown_address(url)), passwords_(passwords_in(url)) {}

PgConnection::~PgConnection() { pq_.PQfinish(connection_); }

PgResult<std::unique_ptr<PgConnection>> PgConnection::open(const std::string& url) {
  const auto library = libpq();
  if (!library) return std::unexpected(PgTrouble{.error = library.error()});
  const Libpq& pq = **library;
  char* why = nullptr;
  PQconninfoOption* options = pq.PQconninfoParse(url.c_str(), &why);
  if (options == nullptr) {
    pq.PQfreemem(why);  // it may show a part of a password
    return std::unexpected(PgTrouble{
        .error = io(fmt::format("the address of the store '{}' cannot be read: want "
                                "postgresql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE, special "
                                "characters as %XX",
                                shown_address(url)))});
  }
  const Words words = words_of(options);
  PGconn* raw = pq.PQconnectdbParams(words.keys.data(), words.values.data(), 0);
  pq.PQconninfoFree(options);
  std::unique_ptr<PgConnection> out(new PgConnection(pq, raw, url));
  if (pq.PQstatus(raw) != CONNECTION_OK) {
    return std::unexpected(PgTrouble{
        .error = io(fmt::format("cannot open the store '{}': {}", out->shown_,
                                without_passwords(pq.PQerrorMessage(raw), out->passwords_))),
        .is_lost = true});
  }
  pq.PQsetNoticeProcessor(raw, ignore_notice, nullptr);
  if (auto set = out->execute(kSessionSql); !set) return std::unexpected(set.error());
  return out;
}

PgTrouble PgConnection::lost() {
  is_lost_ = true;
  return {.error = io(fmt::format("the connection to the store '{}' is lost: {}", shown_,
                                  without_passwords(pq_.PQerrorMessage(connection_), passwords_))),
          .is_lost = true};
}

PgTrouble PgConnection::trouble_of(const PGresult* result) const {
  const auto field = [&](int code) -> std::string {
    const char* text = pq_.PQresultErrorField(result, code);
    return text == nullptr ? "" : without_passwords(text, passwords_);
  };
  PgTrouble out{.error = {.code = diag::Code::kIo, .message = {}},
                .state = field(PG_DIAG_SQLSTATE)};
  const std::string message = field(PG_DIAG_MESSAGE_PRIMARY);
  if (out.state == "23505") {
    out.error = {diag::Code::kAlreadyExists, message};
  } else if (out.state == "TY001") {
    out.error = {diag::Code::kConflict, message};
  } else if (out.state == "53100") {
    out.error = io(fmt::format("the disk is full: nothing was written to '{}'", shown_));
  } else if (out.state == "25006") {
    out.error = io(fmt::format("the store '{}' is read-only", shown_));
  } else if (out.state == "55P03") {
    out.error = io(fmt::format("the store '{}' is locked by another process", shown_));
  } else {
    out.error = io(fmt::format("store '{}': {}", shown_, message));
  }
  // The server ends, or ended this connection.
  out.is_lost = out.state.starts_with("57P") || out.state.starts_with("08");
  return out;
}

PgResult<PgRows> PgConnection::execute(const char* sql) {
  PgRows rows(pq_, nullptr);
  PGresult* result = pq_.PQexec(connection_, sql);
  const PgRows kept(pq_, result);
  const ExecStatusType status = pq_.PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return kept;
  if (pq_.PQstatus(connection_) == CONNECTION_BAD) return std::unexpected(lost());
  return std::unexpected(trouble_of(result));
}

bool PgConnection::put(const PgCall& call) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string& v : call.params.values()) {
    values.push_back(v.data());
    lengths.push_back(static_cast<int>(v.size()));
  }
  const std::vector<int> binary(values.size(), 1);
  return pq_.PQsendQueryPrepared(connection_, prepared_[call.sql].c_str(),
                                 static_cast<int>(values.size()), values.data(), lengths.data(),
                                 binary.data(), 1) == 1;
}

PgResult<std::vector<PgRows>> PgConnection::send(const std::vector<PgCall>& calls) {
  if (!in_pipeline_mode_) in_pipeline_mode_ = pq_.PQenterPipelineMode(connection_) == 1;
  std::vector<std::size_t> sent;  // the call of each message
  std::vector<const char*> named;
  bool is_good = true;
  for (std::size_t i = 0; i < calls.size() && is_good; ++i) {
    std::string& name = prepared_[calls[i].sql];
    if (name.empty()) {
      name = fmt::format("s{}", ++named_);
      named.push_back(calls[i].sql);
      is_good = pq_.PQsendPrepare(connection_, name.c_str(), calls[i].sql, 0, nullptr) == 1;
      sent.push_back(kPrepares);
    }
    is_good = is_good && put(calls[i]);
    sent.push_back(i);
  }
  if (!is_good || pq_.PQpipelineSync(connection_) != 1) return std::unexpected(lost());
  auto rows = take_answers(calls.size(), sent);
  // Which of the new names the server has is not worth knowing.
  if (!rows) {
    for (const char* sql : named) prepared_.erase(sql);
  }
  return rows;
}

// Each message has its result and then a null; the end of the pipeline has its own.
PgResult<std::vector<PgRows>> PgConnection::take_answers(std::size_t calls,
                                                         const std::vector<std::size_t>& sent) {
  std::vector<PgRows> rows(calls);
  std::optional<PgTrouble> trouble;
  std::size_t at = 0;
  for (bool was_null = false;;) {
    PGresult* result = pq_.PQgetResult(connection_);
    if (result == nullptr) {
      if (was_null || pq_.PQstatus(connection_) == CONNECTION_BAD) return std::unexpected(lost());
      was_null = true;
      ++at;
      continue;
    }
    was_null = false;
    PgRows kept(pq_, result);
    const ExecStatusType status = pq_.PQresultStatus(result);
    if (status == PGRES_PIPELINE_SYNC) break;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      if (at < sent.size() && sent[at] != kPrepares) rows[sent[at]] = std::move(kept);
    } else if (!trouble && status != PGRES_PIPELINE_ABORTED) {
      trouble = trouble_of(result);
    }
  }
  if (!trouble) return rows;
  is_lost_ = is_lost_ || trouble->is_lost || pq_.PQstatus(connection_) == CONNECTION_BAD;
  trouble->is_lost = is_lost_;
  return std::unexpected(std::move(*trouble));
}

}  // namespace tiphys::store
