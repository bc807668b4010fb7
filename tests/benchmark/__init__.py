"""What MiningSDK costs: CPU, memory, time and database, beside a bare client."""
