#include "store/schema.h"

#include <array>

namespace tiphys::store {

namespace {

constexpr std::array<const char*, 6> kMigrations = {
    // 1: the first tables.
    R"sql(
CREATE TABLE workflows (
  uid TEXT PRIMARY KEY, name_space TEXT NOT NULL, name TEXT NOT NULL,
  phase TEXT NOT NULL, message TEXT NOT NULL, progress TEXT NOT NULL,
  created_at INTEGER NOT NULL, started_at INTEGER NOT NULL, finished_at INTEGER NOT NULL,
  suspended INTEGER NOT NULL,
  metadata_json TEXT NOT NULL, spec_json TEXT NOT NULL, status_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX workflows_by_name ON workflows (name, name_space);
CREATE INDEX workflows_unfinished ON workflows (created_at) WHERE finished_at = 0;
CREATE TABLE nodes (
  uid TEXT NOT NULL, node_index INTEGER NOT NULL, json TEXT NOT NULL,
  PRIMARY KEY (uid, node_index)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
  uid TEXT NOT NULL, sequence INTEGER NOT NULL, payload TEXT NOT NULL,
  PRIMARY KEY (uid, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE commands (
  id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL, verb TEXT NOT NULL,
  arguments_json TEXT NOT NULL, created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX commands_by_uid ON commands (uid);
CREATE TABLE objects (
  kind TEXT NOT NULL, name_space TEXT NOT NULL, name TEXT NOT NULL, json TEXT NOT NULL,
  created_at INTEGER NOT NULL, PRIMARY KEY (kind, name_space, name)
) STRICT, WITHOUT ROWID;
)sql",
    // 2: specs in a table of their own, since SQLite writes a row anew as a whole and a spec never
    // changes; the order of lists has an index; the file says whose it is.
    R"sql(
CREATE TABLE specs (uid TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
INSERT INTO specs SELECT uid, spec_json FROM workflows;
ALTER TABLE workflows DROP COLUMN spec_json;
CREATE INDEX workflows_by_time ON workflows (created_at DESC, name);
PRAGMA application_id = 0x74697068;
)sql",
    // 3: how far the rows of a workflow and of its nodes have followed its log.
    R"sql(
ALTER TABLE workflows ADD COLUMN shown_sequence INTEGER NOT NULL DEFAULT 0;
)sql",
    // 4: a workflow has a number here, so that the key of a node or event is 8 bytes instead of 40
    // and rows lie in the order in which they are made: number * 2^32 + index.
    R"sql(
CREATE TABLE numbers (
  number INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO numbers (uid) SELECT uid FROM workflows ORDER BY created_at;
ALTER TABLE nodes RENAME TO old_nodes;
CREATE TABLE nodes (key INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT;
INSERT INTO nodes SELECT (n.number << 32) | o.node_index, o.json
  FROM old_nodes o JOIN numbers n ON n.uid = o.uid ORDER BY 1;
DROP TABLE old_nodes;
ALTER TABLE events RENAME TO old_events;
CREATE TABLE events (key INTEGER PRIMARY KEY, payload TEXT NOT NULL) STRICT;
INSERT INTO events SELECT (n.number << 32) | o.sequence, o.payload
  FROM old_events o JOIN numbers n ON n.uid = o.uid ORDER BY 1;
DROP TABLE old_events;
)sql",
    // 5: the outbox. What is sent and each attempt lie apart, since the row of a delivery changes
    // with each attempt.
    R"sql(
CREATE TABLE deliveries (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, uid TEXT NOT NULL, name_space TEXT NOT NULL,
  workflow TEXT NOT NULL, node TEXT NOT NULL, channel TEXT NOT NULL, kind TEXT NOT NULL,
  destination TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
  created_at INTEGER NOT NULL, next_at INTEGER NOT NULL, finished_at INTEGER NOT NULL,
  status INTEGER NOT NULL, reason TEXT NOT NULL, memory TEXT NOT NULL
) STRICT;
CREATE INDEX deliveries_pending ON deliveries (uid) WHERE state = 'pending';
CREATE INDEX deliveries_by_uid ON deliveries (uid);
CREATE TABLE delivery_payloads (number INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
CREATE TABLE delivery_attempts (
  number INTEGER NOT NULL, attempt INTEGER NOT NULL, at INTEGER NOT NULL, latency INTEGER NOT NULL,
  status INTEGER NOT NULL, answer TEXT NOT NULL, error TEXT NOT NULL,
  PRIMARY KEY (number, attempt)
) STRICT, WITHOUT ROWID;
)sql",
    // 6: what notification rules remember, and how often the objects of a kind have changed.
    R"sql(
CREATE TABLE rule_memory (
  rule TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, due_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL, PRIMARY KEY (rule, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX rule_memory_timed ON rule_memory (due_at) WHERE due_at > 0;
CREATE TABLE object_versions (kind TEXT PRIMARY KEY, version INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
)sql",
};

}  // namespace

std::span<const char* const> migrations() { return kMigrations; }

}  // namespace tiphys::store
