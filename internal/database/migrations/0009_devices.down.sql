DROP TABLE first_sign_ins;
DROP TABLE known_devices;
