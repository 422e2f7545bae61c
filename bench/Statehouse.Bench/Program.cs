using Statehouse.Bench;

// Loads a running server over gRPC from a process of its own: Statehouse.Bench ADDRESS:PORT [seconds] [clients]
if (args.Length is 0 or > 3)
{
    await Console.Error.WriteLineAsync("usage: Statehouse.Bench ADDRESS:PORT [seconds, default 5] [clients, default 16]");
    return 2;
}
int seconds = args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 5;
int clients = args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 16;
var load = new GrpcLoad(args[0], clients, TimeSpan.FromSeconds(seconds));
Console.WriteLine($"begin+write+commit: {await load.TransactionsAsync():N0} txn/s");
Console.WriteLine($"GetState:           {await load.ReadsAsync():N0} reads/s");
(long events, double perSecond) = await load.ReplayAsync(commits: 100_000);
Console.WriteLine($"Replay:             {perSecond:N0} events/s over {events:N0} events");
return 0;
