-- A small shop, to try the synchroniser with: 5 customers and 7 orders.
-- Loads into an empty database of MySQL 8 or 9 and MariaDB 10.5 or later. All people are invented;
-- phone numbers are from the ranges set aside for fiction.

SET NAMES utf8mb4;
SET time_zone = '+00:00';

CREATE TABLE customers (
    id            INT           NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_name VARCHAR(120)  NOT NULL,
    email         VARCHAR(190)  NULL,
    phone         VARCHAR(40)   NULL,
    company       VARCHAR(120)  NULL,
    status        ENUM('active', 'inactive', 'pending') NOT NULL DEFAULT 'pending',
    credit_limit  DECIMAL(10,2) NULL,
    created_at    TIMESTAMP     NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at    TIMESTAMP     NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    -- The synchroniser asks for rows changed since a moment: without this index that reads them all.
    KEY customers_updated_at (updated_at)
) CHARACTER SET utf8mb4;

CREATE TABLE orders (
    id            INT           NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_id   INT           NOT NULL,
    order_number  VARCHAR(30)   NOT NULL UNIQUE,
    order_date    DATE          NOT NULL,
    total_amount  DECIMAL(10,2) NOT NULL,
    status        ENUM('pending', 'processing', 'shipped', 'delivered', 'cancelled')
                                NOT NULL DEFAULT 'pending',
    notes         TEXT          NULL,
    created_at    TIMESTAMP     NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at    TIMESTAMP     NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    KEY orders_updated_at (updated_at),
    CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id)
) CHARACTER SET utf8mb4;

INSERT INTO customers
    (id, customer_name, email, phone, company, status, credit_limit, created_at, updated_at)
VALUES
    (1, 'Amélie Roche', 'amelie@roche-fleurs.example', '+33 1 99 00 12 34', 'Roche Fleurs',
     'active', 12345.60, '2025-01-12 09:15:00', '2025-10-02 08:00:00'),
    (2, 'Tom Whitfield', 'tom.whitfield@northpier.example', '+44 20 7946 0958', 'North Pier Cycles',
     'active', 5000.00, '2025-02-03 14:40:00', '2025-10-02 08:05:30'),
    (3, 'Grace Okafor', 'grace@okafor-bakes.example', '+1 202 555 0143', 'Okafor Bakes 🥐',
     'pending', NULL, '2025-03-21 11:05:00', '2025-10-03 16:20:10'),
    (4, 'Jürgen Weiß', 'j.weiss@weiss-gartenbau.example', NULL, 'Weiß Gartenbau',
     'inactive', 0.00, '2025-04-08 07:30:00', '2025-10-04 10:00:00'),
    (5, 'Hana Sato', NULL, '+1 202 555 0178', NULL,
     'active', 750.25, '2025-05-30 19:55:00', '2025-10-05 12:34:56');

INSERT INTO orders
    (id, customer_id, order_number, order_date, total_amount, status, notes, created_at, updated_at)
VALUES
    (1, 1, 'SO-2025-0001', '2025-09-01', 249.90, 'delivered', 'Leave with the neighbour.',
     '2025-09-01 10:00:00', '2025-09-05 15:30:00'),
    (2, 1, 'SO-2025-0002', '2025-09-14', 12345.60, 'shipped', 'Wedding flowers 💐 – à livrer avant 9 h.',
     '2025-09-14 08:20:00', '2025-09-20 09:00:00'),
    (3, 2, 'SO-2025-0003', '2025-09-18', 89.00, 'processing', NULL,
     '2025-09-18 13:45:00', '2025-09-19 07:10:00'),
    (4, 2, 'SO-2025-0004', '2025-09-30', 1499.95, 'pending', 'Two lines:\nframe, size L\nfork, black',
     '2025-09-30 17:05:00', '2025-09-30 17:05:00'),
    (5, 3, 'SO-2025-0005', '2025-10-02', 34.10, 'delivered', '',
     '2025-10-02 06:50:00', '2025-10-03 11:00:00'),
    (6, 4, 'SO-2025-0006', '2025-10-04', 560.00, 'cancelled', 'Customer changed his mind.',
     '2025-10-04 09:15:00', '2025-10-04 18:40:00'),
    (7, 5, 'SO-2025-0007', '2025-10-05', 0.99, 'pending', NULL,
     '2025-10-05 12:30:00', '2025-10-05 12:30:00');
