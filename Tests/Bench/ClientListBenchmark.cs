using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Broker.Gateway.Links;
using Broker.Gateway.Transport;
using Broker.Silo.Health;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Bench;

/// <summary>Lists clients of a broker that has a million, over in-memory channels, and says how long a client on a real socket waits meanwhile for what it sends itself.</summary>
/// <remarks>That client is in the same process: whatever stops the process stops it too, so that no pause is missed.</remarks>
internal static class ClientListBenchmark
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(15);

    public static void Run(string[] arguments) => RunAsync(arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 1_000_000).GetAwaiter().GetResult();

    private static async Task RunAsync(int count)
    {
        using var host = await IdleSessionsBenchmark.StartBrokerAsync();
        var services = host.Services;
        using var pinger = Open(services.GetRequiredService<Listeners>()["default"].Port); // before the others: there are no descriptors for a million
        await IdleSessionsBenchmark.ConnectAsync(services.GetRequiredService<GatewayLoops>(), IdleSessionsBenchmark.MakePipeline(services), "idle", count);
        GC.Collect();
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{services.GetRequiredService<AdminServer>().Port}/api/v4/") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("admin:public"u8));
        await PingAsync(pinger, TimeSpan.FromSeconds(5), null); // warm
        Console.WriteLine($"{count:N0} clients; round trips of another client's QoS 0 messages, one every millisecond:");
        await RowAsync("nobody lists", null);
        await RowAsync("by a filter that matches one", "clients?_like_clientid=idle-99999&_limit=100");
        await RowAsync("by a filter that matches none", "clients?username=nobody");
        await RowAsync("the last page of 10,000", $"clients?_page={count / 10_000}&_limit=10000");
        await RowAsync("the first page of 100", "clients?_limit=100");
        Environment.Exit(0);

        async Task RowAsync(string name, string? path)
        {
            using var stop = new CancellationTokenSource(Length);
            var (calls, began) = (0, Stopwatch.GetTimestamp());
            var pinging = PingAsync(pinger, Length, name);
            while (path is not null && !stop.IsCancellationRequested)
            {
                using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
                answer.EnsureSuccessStatusCode();
                calls++;
            }

            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            await pinging;
            if (calls > 0) Console.WriteLine($"    {calls} lists one after another, {seconds / calls * 1000:N0} ms each");
        }
    }

    private static Socket Open(int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect("127.0.0.1", port);
        socket.Send([0x10, 16, 0, 4, .. "MQTT"u8, 4, 2, 0, 0, 0, 4, .. "ping"u8]);
        Receive(socket, 4);
        socket.Send([0x82, 9, 0, 1, 0, 4, .. "ping"u8, 0]);
        Receive(socket, 5);
        return socket;
    }

    private static Task PingAsync(Socket socket, TimeSpan length, string? name) => Task.Factory.StartNew(() => Ping(socket, length, name), TaskCreationOptions.LongRunning);

    private static void Ping(Socket socket, TimeSpan length, string? name)
    {
        byte[] publish = [0x30, 7, 0, 4, .. "ping"u8, 1];
        var trips = new List<double>();
        for (var until = Stopwatch.GetTimestamp() + (long)(length.TotalSeconds * Stopwatch.Frequency); Stopwatch.GetTimestamp() < until; Thread.Sleep(1))
        {
            var sent = Stopwatch.GetTimestamp();
            socket.Send(publish);
            Receive(socket, publish.Length);
            trips.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
        }

        if (name is null) return;
        trips.Sort();
        Console.WriteLine($"  {name}: {trips.Count:N0} trips, p50 {trips[trips.Count / 2]:F2} ms, p99 {trips[trips.Count * 99 / 100]:F2} ms, longest {trips[^1]:F1} ms");
    }

    private static void Receive(Socket socket, int length)
    {
        Span<byte> buffer = stackalloc byte[64];
        for (var got = 0; got < length;) got += socket.Receive(buffer[got..length]) is > 0 and var read ? read : throw new IOException("the broker has closed the connection");
    }
}
