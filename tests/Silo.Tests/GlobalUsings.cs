global using Statehouse.Gateway.Tests.Hosting;
global using Statehouse.Testing;
global using Xunit;
