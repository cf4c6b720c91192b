// SPDX-License-Identifier: Apache-2.0
#include "store_postgres/schema.h"

#include <array>

namespace fiducia::store_postgres {
namespace {

/// Objects and their sketches are never changed or removed: triggers bind the owner as well.
constexpr std::array statements{
    R"sql(CREATE SCHEMA fiducia_evidence)sql",

    R"sql(CREATE TABLE fiducia_evidence.store (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      version bigint NOT NULL,
      id bytea NOT NULL CHECK (octet_length(id) = 16),
      key_check bytea NOT NULL CHECK (octet_length(key_check) = 32),
      objects bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50))sql",

    R"sql(CREATE TABLE fiducia_evidence.home (
      name text PRIMARY KEY CHECK (octet_length(name) BETWEEN 1 AND 1024),
      tree_size bigint NOT NULL,
      root bytea NOT NULL CHECK (octet_length(root) = 32),
      pending bigint NOT NULL,
      trust_serial bigint NOT NULL) WITH (fillfactor = 50))sql",

    // A row for each identity that anybody ever reserved; whoever has locked it seals it.
    R"sql(CREATE TABLE fiducia_evidence.identity (
      instance bytea PRIMARY KEY CHECK (octet_length(instance) = 16)))sql",

    R"sql(CREATE TABLE fiducia_evidence.object (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      root bytea NOT NULL UNIQUE CHECK (octet_length(root) = 32),
      instance bytea CHECK (octet_length(instance) = 16),
      study bytea NOT NULL CHECK (octet_length(study) IN (0, 16)),
      series bytea NOT NULL CHECK (octet_length(series) IN (0, 16)),
      ledger_index bigint NOT NULL,
      textured_tiles bigint NOT NULL,
      evidence bytea NOT NULL,
      digest bytea NOT NULL CHECK (octet_length(digest) = 32)))sql",
    // Hashes do not compress.
    R"sql(ALTER TABLE fiducia_evidence.object ALTER evidence SET STORAGE EXTERNAL)sql",
    R"sql(CREATE INDEX object_by_instance ON fiducia_evidence.object (instance, id)
      WHERE instance IS NOT NULL)sql",
    R"sql(CREATE INDEX object_by_study ON fiducia_evidence.object (study, id))sql",
    R"sql(CREATE INDEX object_by_series ON fiducia_evidence.object (series, study, id)
      WHERE series <> '')sql",

    R"sql(CREATE TABLE fiducia_evidence.sketch (
      value bigint NOT NULL,
      object bigint NOT NULL,
      PRIMARY KEY (value, object)))sql",

    R"sql(CREATE FUNCTION fiducia_evidence.refuse() RETURNS trigger
      LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
      BEGIN
        RAISE EXCEPTION 'evidence is never changed or removed' USING ERRCODE = 'FE001';
      END $$)sql",
    R"sql(CREATE TRIGGER no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON fiducia_evidence.object
      FOR EACH STATEMENT EXECUTE FUNCTION fiducia_evidence.refuse())sql",
    R"sql(CREATE TRIGGER no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON fiducia_evidence.sketch
      FOR EACH STATEMENT EXECUTE FUNCTION fiducia_evidence.refuse())sql",
};

}  // namespace

std::span<const char* const> schema_statements() { return statements; }

}  // namespace fiducia::store_postgres
