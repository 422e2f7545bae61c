global using Statehouse.Agents;
global using Statehouse.Journal;
global using Xunit;
global using ErrorCode = Statehouse.Journal.ErrorCode;
global using Statehouse.Agents.Hosting;
