// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module postgres: the client library of PostgreSQL, loaded when the first connection is
// opened. A program that may need a database, but usually does not, neither waits for it (with its
// own libraries it makes a start 2.5 times as long: docs/performance.md) nor requires that it is
// installed.
#include <libpq-fe.h>

#include <string>

#include "postgres/connection.h"

namespace fiducia::postgres {

// All that is called of libpq; the types come from its own header.
#define FIDUCIA_LIBPQ_FUNCTIONS(function)                                                         \
  function(PQclear) function(PQcmdStatus) function(PQconnectdbParams) function(PQconninfoFree)    \
      function(PQconninfoParse) function(PQconsumeInput) function(PQenterPipelineMode)            \
          function(PQerrorMessage) function(PQfinish) function(PQflush) function(PQgetisnull)     \
              function(PQgetlength) function(PQgetResult) function(PQgetvalue) function(PQisBusy) \
                  function(PQnfields) function(PQntuples) function(PQpipelineSync)                \
                      function(PQresultErrorField) function(PQresultStatus)                       \
                          function(PQsendPrepare) function(PQsendQueryParams)                     \
                              function(PQsendQueryPrepared) function(PQsetnonblocking)            \
                                  function(PQsetNoticeReceiver) function(PQsetSingleRowMode)      \
                                      function(PQsocket) function(PQstatus)

/// libpq's functions under their own names. Never unloaded.
struct Libpq {
#define FIDUCIA_MEMBER(name) decltype(&::name) name = nullptr;
  FIDUCIA_LIBPQ_FUNCTIONS(FIDUCIA_MEMBER)
#undef FIDUCIA_MEMBER
};

/// The shared library that this release is made for: libpq of PostgreSQL 14 or later.
inline constexpr const char* libpq_file = "libpq.so.5";

/// Loads `file`. Failures, with a remedy: it is not installed, or too old to have all functions.
[[nodiscard]] Answer<Libpq> load_libpq(const char* file);

/// What was loaded when this was first called, or why it could not be: for the whole process.
[[nodiscard]] const Answer<Libpq>& find_libpq();

}  // namespace fiducia::postgres
