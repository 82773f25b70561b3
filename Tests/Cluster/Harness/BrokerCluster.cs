using System.Diagnostics;
using System.Net;
using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>Broker processes that share one database, and so are a cluster.</summary>
internal sealed class BrokerCluster : IAsyncDisposable
{
    private const int LinesShown = 40;
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(60);
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };

    private readonly List<BrokerProcess> nodes = [];
    private readonly List<string> expected = [];
    private readonly string connection;
    private readonly (string Key, string Value)[] settings;

    private BrokerCluster(string connection, (string Key, string Value)[] settings) => (this.connection, this.settings) = (connection, settings);

    /// <summary>Its processes, in the order they were added; those that ended stay.</summary>
    public IReadOnlyList<BrokerProcess> Nodes => nodes;

    public BrokerProcess this[int node] => nodes[node];

    /// <summary>Runs a test on a cluster of its own in an empty database of the shared server. When it fails it tells what each node said last; it also
    /// fails if a node logged an error that was not expected.</summary>
    public static async Task RunAsync(int count, Func<BrokerCluster, Task> test, params (string Key, string Value)[] settings) =>
        await RunAsync(await SharedMariaDb.CreateDatabaseAsync(), count, test, settings);

    /// <inheritdoc cref="RunAsync(int, Func{BrokerCluster, Task}, ValueTuple{string, string}[])"/>
    public static async Task RunAsync(string connection, int count, Func<BrokerCluster, Task> test, params (string Key, string Value)[] settings)
    {
        await using var cluster = new BrokerCluster(connection, settings);
        try
        {
            for (var node = 0; node < count; node++) cluster.Add();
            await StartAsync([.. cluster.nodes]);
            await test(cluster);
            Assert.Empty(cluster.UnexpectedErrors());
        }
        catch
        {
            Say(cluster.Describe());
            throw;
        }
    }

    /// <summary>A line of the test's own output: a measured time.</summary>
    public static void Say(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    /// <summary>Error lines that contain this are no failure.</summary>
    public void Expect(string text) => expected.Add(text);

    /// <summary>Processes end without a word: what Orleans says about that is no failure.</summary>
    public void ExpectDeaths() => Expect(" fail: Orleans.");

    /// <summary>Processes end in order: that what others still ask of them is sent on, Orleans logs as an error.</summary>
    public void ExpectDepartures() => Expect("is shutting down.");

    /// <summary>One more process, not started.</summary>
    public BrokerProcess Add(params (string Key, string Value)[] own) => Add("Broker.Gateway.dll", own);

    /// <summary>One more process of another program, not started.</summary>
    public BrokerProcess Add(string program, params (string Key, string Value)[] own)
    {
        var node = new BrokerProcess { Program = program };
        node.Set("Cluster:ConnectionString", connection).Set("Routing:Shards", "16").Set("Mqtt:MaxQueueLength", "0").Set("Mqtt:SysInterval", "00:00:00");
        node.Set("Gateway:NodeName", $"node{nodes.Count}@127.0.0.1");
        foreach (var (key, value) in settings.Concat(own)) node.Set(key, value);
        nodes.Add(node);
        return node;
    }

    /// <summary>Starts processes at once and waits until all say that they are ready.</summary>
    /// <returns>How long that took.</returns>
    public static async Task<TimeSpan> StartAsync(params BrokerProcess[] starting)
    {
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(starting.Select(node => node.StartAsync()));
        await ReadyAsync(starting);
        return clock.Elapsed;
    }

    /// <summary>Waits until processes answer `/health/ready` with 200.</summary>
    public static async Task ReadyAsync(params BrokerProcess[] waiting)
    {
        foreach (var node in waiting) await AnswersAsync(node, HttpStatusCode.OK, "ready\n");
    }

    /// <summary>Waits until a process answers `/health/ready` with this.</summary>
    public static async Task AnswersAsync(BrokerProcess node, HttpStatusCode code, string body)
    {
        var clock = Stopwatch.StartNew();
        for (var answer = ""; ; await Task.Delay(20))
        {
            try
            {
                using var response = await Http.GetAsync(new Uri($"http://{node.Host}:{node.AdminPort}/health/ready"));
                answer = await response.Content.ReadAsStringAsync();
                if (response.StatusCode == code && answer == body) return;
            }
            catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException)
            {
                answer = fault.Message;
            }

            if (clock.Elapsed > ReadyLimit) Assert.Fail($"Not '{body.TrimEnd()}' within {ReadyLimit}: {answer}");
        }
    }

    /// <summary>Connects to a node and demands success, trying again while the cluster reorganises itself.</summary>
    public async Task<WireClient> ConnectAsync(int node, ConnectOptions options)
    {
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(50))
        {
            var client = await WireClient.OpenAsync(await nodes[node].Ready, options with { Host = nodes[node].Host });
            if (client.Connack.Code == 0) return client;
            client.Dispose();
            if (clock.Elapsed > ReadyLimit) Assert.Fail($"{options.ClientId} is refused with {client.Connack.Code} for {ReadyLimit}");
        }
    }

    /// <summary>What the nodes said last.</summary>
    public string Describe() => string.Join('\n', nodes.Select((node, number) =>
        $"--- node {number}, {(node.IsRunning ? "running" : "ended")}, {UnexpectedErrors(node).Length} errors\n"
        + string.Join('\n', UnexpectedErrors(node).Take(5).Concat(node.Output.TakeLast(LinesShown)))));

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes) await node.DisposeAsync();
    }

    private string[] UnexpectedErrors() => [.. nodes.SelectMany(UnexpectedErrors)];

    private string[] UnexpectedErrors(BrokerProcess node) => [.. node.AllErrors.Where(line => !expected.Any(text => line.Contains(text, StringComparison.Ordinal)))];
}
