global using Statehouse.Testing;
global using Xunit;
