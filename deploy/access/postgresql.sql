-- Users and access rules for the source `postgresql` with its default queries, with some sample rows.

CREATE TABLE mqtt_user (
    id SERIAL PRIMARY KEY,
    username VARCHAR(100) NOT NULL UNIQUE,
    password VARCHAR(100) NOT NULL,
    salt VARCHAR(40),
    is_superuser BOOLEAN NOT NULL DEFAULT FALSE);

CREATE TABLE mqtt_acl (
    id SERIAL PRIMARY KEY,
    allow INTEGER NOT NULL DEFAULT 1,     -- 0 deny, 1 allow
    ipaddr VARCHAR(60),                   -- address or network
    username VARCHAR(100),                -- $all is everybody
    clientid VARCHAR(100),
    access INTEGER NOT NULL,              -- 1 subscribe, 2 publish, 3 both
    topic VARCHAR(100) NOT NULL);         -- a filter; %c and %u are whole levels; eq TOPIC is compared as it stands
CREATE INDEX ON mqtt_acl (ipaddr);
CREATE INDEX ON mqtt_acl (username);
CREATE INDEX ON mqtt_acl (clientid);

INSERT INTO mqtt_user (username, password) VALUES ('emqx', encode(sha256('public'), 'hex'));

INSERT INTO mqtt_acl (allow, ipaddr, username, access, topic) VALUES
    (0, NULL, '$all', 1, '$SYS/#'),
    (1, '10.59.1.100', NULL, 2, '$SYS/#'),
    (0, NULL, '$all', 3, '/smarthome/+/temperature'),
    (1, NULL, '$all', 3, '/smarthome/%c/temperature');
