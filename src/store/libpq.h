// libpq's functions, found in the system's library at the first use.
//
// Why: most installations have no PostgreSQL, and the library brings Kerberos and LDAP along. Its
// interface does not change within libpq.so.5. Thread-safe.
#pragma once

#include <libpq-fe.h>

#include "diag/error.h"

namespace tiphys::store {

// The functions that are used.
#define TIPHYS_LIBPQ_FUNCTIONS(F)                                                                  \
  F(PQconninfoParse)                                                                               \
  F(PQconninfoFree)                                                                                \
  F(PQconnectdbParams)                                                                             \
  F(PQfinish)                                                                                      \
  F(PQstatus)                                                                                      \
  F(PQerrorMessage) F(PQfreemem) F(PQsendPrepare) F(PQsendQueryPrepared) F(PQgetResult)            \
      F(PQresultStatus) F(PQresultErrorField) F(PQclear) F(PQntuples) F(PQgetvalue) F(PQgetlength) \
          F(PQcmdTuples) F(PQexec) F(PQenterPipelineMode) F(PQpipelineSync)                        \
              F(PQsetNoticeProcessor) F(PQsetErrorVerbosity)

struct Libpq {
#define TIPHYS_LIBPQ_MEMBER(name) decltype(&::name) name = nullptr;
  TIPHYS_LIBPQ_FUNCTIONS(TIPHYS_LIBPQ_MEMBER)
#undef TIPHYS_LIBPQ_MEMBER
};

/// The library; it stays loaded. Errors (kIo): it is not installed, or lacks a function.
[[nodiscard]] diag::Result<const Libpq*> libpq();

}  // namespace tiphys::store
