global using Statehouse.Agents;
global using Statehouse.Agents.Tests;
global using Statehouse.Journal;
global using Xunit;
