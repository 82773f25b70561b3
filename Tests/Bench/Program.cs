using Broker.Bench;

// dotnet run -c Release --project Tests/Bench -- <name> [arguments]
var benchmarks = new Dictionary<string, Action<string[]>>
{
    ["clients"] = ClientListBenchmark.Run,
    ["connects"] = ConnectBenchmark.Run,
    ["delayed"] = DelayedBenchmark.Run,
    ["durable"] = DurableBenchmark.Run,
    ["filters"] = FiltersBenchmark.Run,
    ["garbage"] = GarbageBenchmark.Run,
    ["http"] = HttpLoadBenchmark.Run,
    ["idle"] = IdleSessionsBenchmark.Run,
    ["retained"] = RetainedTopicsBenchmark.Run,
    ["store"] = StoreBenchmark.Run,
    ["trie"] = SubscriptionTrieBenchmark.Run,
    ["users"] = UsersBenchmark.Run,
};

if (args.Length > 0 && benchmarks.TryGetValue(args[0], out var run))
{
    run(args[1..]);
    return 0;
}

Console.Error.WriteLine($"One of: {string.Join(", ", benchmarks.Keys)}");
return 1;
