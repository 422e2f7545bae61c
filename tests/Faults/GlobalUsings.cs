global using Statehouse.Testing;
