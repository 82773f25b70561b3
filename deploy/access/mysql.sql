-- Users and access rules for the source `mysql` with its default queries, with some sample rows. MySQL 8 and MariaDB 10.11.

CREATE TABLE mqtt_user (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    username VARCHAR(100) NOT NULL UNIQUE,
    password VARCHAR(100) NOT NULL,
    salt VARCHAR(35),
    is_superuser TINYINT(1) NOT NULL DEFAULT 0,
    created DATETIME);

CREATE TABLE mqtt_acl (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    allow INT NOT NULL DEFAULT 1 COMMENT '0 deny, 1 allow',
    ipaddr VARCHAR(60) COMMENT 'address or network',
    username VARCHAR(100) COMMENT '$all is everybody',
    clientid VARCHAR(100),
    access INT NOT NULL COMMENT '1 subscribe, 2 publish, 3 both',
    topic VARCHAR(100) NOT NULL COMMENT 'a filter; %c and %u are whole levels; eq TOPIC is compared as it stands',
    INDEX (ipaddr), INDEX (username), INDEX (clientid));

INSERT INTO mqtt_user (username, password) VALUES ('emqx', SHA2('public', 256));

INSERT INTO mqtt_acl (allow, ipaddr, username, access, topic) VALUES
    (0, NULL, '$all', 1, '$SYS/#'),
    (1, '10.59.1.100', NULL, 2, '$SYS/#'),
    (0, NULL, '$all', 3, '/smarthome/+/temperature'),
    (1, NULL, '$all', 3, '/smarthome/%c/temperature');
