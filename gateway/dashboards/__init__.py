"""Dashboards for Grafana, made out of the site and the addresses of the stores."""
