// SPDX-License-Identifier: Apache-2.0
#include "ledger_postgres/postgres_schema.h"

#include <array>

namespace fiducia::ledger_postgres {
namespace {

/// What keeps the log whole stands in the tables and their triggers, so that it also binds the
/// schema's owner: a round is inserted only where the log ends, and moves that end in the same
/// transaction; it is never changed, and deleted only once it is in the store for good.
/// An appender has no right to write to a table: it calls the functions at the end.
constexpr std::array statements{
    R"sql(CREATE SCHEMA fiducia_ledger)sql",

    R"sql(CREATE TABLE fiducia_ledger.version (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      version bigint NOT NULL))sql",
    R"sql(INSERT INTO fiducia_ledger.version (version) VALUES (1))sql",

    // One row a log. Whoever has locked it has the turn to append; with NO KEY, since the check of
    // a reference to this row, which a publisher makes, must not wait for appenders.
    R"sql(CREATE TABLE fiducia_ledger.log (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      origin text NOT NULL UNIQUE CHECK (octet_length(origin) BETWEEN 1 AND 1024),
      committed_size bigint NOT NULL DEFAULT 0 CHECK (committed_size >= 0))
      WITH (fillfactor = 50))sql",

    // One row a log. Whoever has locked it has the turn to publish. `published`: what is in the
    // store; `base`: what is durable there. Rounds behind `base` are kept.
    R"sql(CREATE TABLE fiducia_ledger.publication (
      log bigint PRIMARY KEY REFERENCES fiducia_ledger.log,
      published_size bigint NOT NULL DEFAULT 0,
      published_tail bytea NOT NULL DEFAULT '',
      base_size bigint NOT NULL DEFAULT 0,
      base_tail bytea NOT NULL DEFAULT '',
      CHECK (base_size BETWEEN 0 AND published_size),
      CHECK ((published_size = 0) = (octet_length(published_tail) = 0)),
      CHECK ((base_size = 0) = (octet_length(base_tail) = 0)))
      WITH (fillfactor = 50))sql",

    R"sql(CREATE TABLE fiducia_ledger.round (
      log bigint NOT NULL REFERENCES fiducia_ledger.log,
      first bigint NOT NULL CHECK (first >= 0),
      size bigint NOT NULL,
      content bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 536870912),
      PRIMARY KEY (log, first),
      UNIQUE (log, size),
      CHECK (size > first)))sql",
    // Hashes and signatures do not compress.
    R"sql(ALTER TABLE fiducia_ledger.round ALTER content SET STORAGE EXTERNAL)sql",
    R"sql(ALTER TABLE fiducia_ledger.publication ALTER published_tail SET STORAGE EXTERNAL,
      ALTER base_tail SET STORAGE EXTERNAL)sql",

    R"sql(CREATE FUNCTION fiducia_ledger.after_round() RETURNS trigger
      LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
      BEGIN
        UPDATE fiducia_ledger.log SET committed_size = NEW.size
          WHERE id = NEW.log AND committed_size = NEW.first;
        IF NOT FOUND THEN
          RAISE EXCEPTION 'a round must begin where the log ends' USING ERRCODE = 'FL001';
        END IF;
        RETURN NULL;
      END $$)sql",
    R"sql(CREATE TRIGGER after_round AFTER INSERT ON fiducia_ledger.round
      FOR EACH ROW EXECUTE FUNCTION fiducia_ledger.after_round())sql",

    R"sql(CREATE FUNCTION fiducia_ledger.before_log_change() RETURNS trigger
      LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
      BEGIN
        IF NEW.id <> OLD.id OR NEW.origin <> OLD.origin OR NOT EXISTS (
            SELECT FROM fiducia_ledger.round
            WHERE log = OLD.id AND first = OLD.committed_size AND size = NEW.committed_size) THEN
          RAISE EXCEPTION 'the end of a log moves with a round' USING ERRCODE = 'FL002';
        END IF;
        RETURN NEW;
      END $$)sql",
    R"sql(CREATE TRIGGER before_log_change BEFORE UPDATE ON fiducia_ledger.log
      FOR EACH ROW EXECUTE FUNCTION fiducia_ledger.before_log_change())sql",

    R"sql(CREATE FUNCTION fiducia_ledger.before_publication_change() RETURNS trigger
      LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
      BEGIN
        IF NEW.log <> OLD.log OR NEW.published_size < OLD.published_size
            OR NEW.base_size < OLD.base_size THEN
          RAISE EXCEPTION 'what is published stays published' USING ERRCODE = 'FL002';
        END IF;
        IF NEW.published_size > OLD.published_size AND NOT EXISTS (
            SELECT FROM fiducia_ledger.round
            WHERE log = OLD.log AND size = NEW.published_size) THEN
          RAISE EXCEPTION 'only committed rounds are published' USING ERRCODE = 'FL002';
        END IF;
        IF NEW.base_size > OLD.base_size AND NEW.base_size <> NEW.published_size THEN
          RAISE EXCEPTION 'the base is what was published' USING ERRCODE = 'FL002';
        END IF;
        RETURN NEW;
      END $$)sql",
    R"sql(CREATE TRIGGER before_publication_change BEFORE UPDATE ON fiducia_ledger.publication
      FOR EACH ROW EXECUTE FUNCTION fiducia_ledger.before_publication_change())sql",

    R"sql(CREATE FUNCTION fiducia_ledger.before_round_change() RETURNS trigger
      LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
      BEGIN
        IF TG_OP = 'UPDATE' THEN
          RAISE EXCEPTION 'a committed round never changes' USING ERRCODE = 'FL002';
        END IF;
        IF NOT EXISTS (SELECT FROM fiducia_ledger.publication
                       WHERE log = OLD.log AND base_size >= OLD.size) THEN
          RAISE EXCEPTION 'a round is kept until it is published' USING ERRCODE = 'FL002';
        END IF;
        RETURN OLD;
      END $$)sql",
    R"sql(CREATE TRIGGER before_round_change BEFORE UPDATE OR DELETE ON fiducia_ledger.round
      FOR EACH ROW EXECUTE FUNCTION fiducia_ledger.before_round_change())sql",

    R"sql(CREATE FUNCTION fiducia_ledger.refuse() RETURNS trigger
      LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
      BEGIN
        RAISE EXCEPTION 'a log is never removed' USING ERRCODE = 'FL002';
      END $$)sql",
    R"sql(CREATE TRIGGER refuse BEFORE DELETE OR TRUNCATE ON fiducia_ledger.log
      EXECUTE FUNCTION fiducia_ledger.refuse())sql",
    R"sql(CREATE TRIGGER refuse BEFORE DELETE OR TRUNCATE ON fiducia_ledger.publication
      EXECUTE FUNCTION fiducia_ledger.refuse())sql",
    R"sql(CREATE TRIGGER refuse BEFORE TRUNCATE ON fiducia_ledger.round
      EXECUTE FUNCTION fiducia_ledger.refuse())sql",

    R"sql(CREATE FUNCTION fiducia_ledger.take_turn(wanted text) RETURNS bigint
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
      DECLARE found_id bigint;
      BEGIN
        SELECT id INTO found_id FROM fiducia_ledger.log WHERE origin = wanted FOR NO KEY UPDATE;
        IF found_id IS NULL THEN
          RAISE EXCEPTION 'there is no log of this origin' USING ERRCODE = 'FL003';
        END IF;
        RETURN found_id;
      END $$)sql",
    R"sql(CREATE FUNCTION fiducia_ledger.take_publishing(wanted text) RETURNS bigint
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
      DECLARE found_id bigint;
      BEGIN
        SELECT p.log INTO found_id
          FROM fiducia_ledger.publication p JOIN fiducia_ledger.log l ON l.id = p.log
          WHERE l.origin = wanted FOR NO KEY UPDATE OF p;
        IF found_id IS NULL THEN
          RAISE EXCEPTION 'there is no log of this origin' USING ERRCODE = 'FL003';
        END IF;
        RETURN found_id;
      END $$)sql",
    R"sql(CREATE FUNCTION fiducia_ledger.commit_round(
        wanted text, round_first bigint, round_size bigint, round_content bytea) RETURNS void
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
      BEGIN
        INSERT INTO fiducia_ledger.round (log, first, size, content)
          SELECT id, round_first, round_size, round_content
          FROM fiducia_ledger.log WHERE origin = wanted;
        IF NOT FOUND THEN
          RAISE EXCEPTION 'there is no log of this origin' USING ERRCODE = 'FL003';
        END IF;
      END $$)sql",
    // Returns how many rounds, and bytes of them, are kept although they are published.
    R"sql(CREATE FUNCTION fiducia_ledger.publish(
        wanted text, size_now bigint, tail_now bytea, OUT kept_rounds bigint, OUT kept_bytes bigint)
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
      DECLARE found_id bigint;
      BEGIN
        UPDATE fiducia_ledger.publication p
          SET published_size = size_now, published_tail = tail_now
          FROM fiducia_ledger.log l WHERE l.id = p.log AND l.origin = wanted
          RETURNING p.log INTO found_id;
        IF found_id IS NULL THEN
          RAISE EXCEPTION 'there is no log of this origin' USING ERRCODE = 'FL003';
        END IF;
        SELECT count(*), coalesce(sum(octet_length(content)), 0) INTO kept_rounds, kept_bytes
          FROM fiducia_ledger.round WHERE log = found_id AND size <= size_now;
      END $$)sql",
    // What is published is durable in the store now.
    R"sql(CREATE FUNCTION fiducia_ledger.forget(wanted text) RETURNS void
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
      DECLARE found_id bigint; found_size bigint;
      BEGIN
        UPDATE fiducia_ledger.publication p
          SET base_size = p.published_size, base_tail = p.published_tail
          FROM fiducia_ledger.log l WHERE l.id = p.log AND l.origin = wanted
          RETURNING p.log, p.base_size INTO found_id, found_size;
        DELETE FROM fiducia_ledger.round WHERE log = found_id AND size <= found_size;
      END $$)sql",

    R"sql(REVOKE ALL ON ALL FUNCTIONS IN SCHEMA fiducia_ledger FROM PUBLIC)sql",
};

}  // namespace

std::span<const char* const> postgres_schema() { return statements; }

}  // namespace fiducia::ledger_postgres
