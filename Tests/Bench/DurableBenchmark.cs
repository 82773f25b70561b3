using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;

namespace Broker.Bench;

/// <summary>QoS 1 to durable sessions that are away, at a running broker: every message is on disk before its PUBACK, none can be skipped.</summary>
/// <remarks>Arguments: port, publishers (100), window (64), seconds (10). The broker needs room: `--Mqtt:MaxQueueLength 0`.</remarks>
internal static class DurableBenchmark
{
    private const int Payload = 64;

    public static void Run(string[] arguments) => RunAsync(Number(arguments, 0, 1883), Number(arguments, 1, 100), Number(arguments, 2, 64), Number(arguments, 3, 10)).GetAwaiter().GetResult();

    private static int Number(string[] arguments, int at, int otherwise) => at < arguments.Length ? int.Parse(arguments[at], CultureInfo.InvariantCulture) : otherwise;

    private static async Task RunAsync(int port, int publishers, int window, int seconds)
    {
        var run = Environment.ProcessId;
        for (var n = 0; n < publishers; n++)
        {
            using var away = await RawClient.ConnectAsync(port, $"away-{run}-{n}", clean: false);
            await away.SendAsync(RawClient.Subscribe(1, $"bench/{run}/{n}"));
            await away.ReceiveAsync(5);
            await away.SendAsync(new byte[] { 0xE0, 0 });
        }

        using var stop = new CancellationTokenSource();
        var tasks = Enumerable.Range(0, publishers).Select(n => PublishAsync(port, run, n, window, stop.Token)).ToArray();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        await stop.CancelAsync();
        var latencies = (await Task.WhenAll(tasks)).SelectMany(list => list).Order().ToArray();
        Console.WriteLine($"{latencies.Length / (double)seconds:N0} messages/s acknowledged, latency p50 {At(0.5):F1} ms, p99 {At(0.99):F1} ms, max {latencies[^1]:F1} ms");

        double At(double quantile) => latencies[(int)((latencies.Length - 1) * quantile)];
    }

    private static async Task<List<float>> PublishAsync(int port, int run, int n, int window, CancellationToken stop)
    {
        using var client = await RawClient.ConnectAsync(port, $"pub-{run}-{n}", clean: true);
        var latencies = new List<float>();
        var sentAt = new long[ushort.MaxValue + 1];
        var packet = RawClient.Publish($"bench/{run}/{n}", 1, 0, Payload);
        var identifierAt = packet.Length - Payload - 2;
        var packets = new byte[window * packet.Length];
        var answers = new byte[window * 4];
        var (next, free, kept) = (1, window, 0);
        while (!stop.IsCancellationRequested)
        {
            var length = 0;
            for (; free > 0; free--, next = next == ushort.MaxValue ? 1 : next + 1)
            {
                sentAt[next] = Stopwatch.GetTimestamp();
                packet.CopyTo(packets.AsSpan(length));
                BinaryPrimitives.WriteUInt16BigEndian(packets.AsSpan(length + identifierAt), (ushort)next);
                length += packet.Length;
            }

            await client.SendAsync(packets.AsMemory(0, length));
            kept += await client.ReceiveAsync(answers.AsMemory(kept), CancellationToken.None);
            var at = 0;
            for (; kept - at >= 4; at += 4, free++) latencies.Add((float)Stopwatch.GetElapsedTime(sentAt[(answers[at + 2] << 8) | answers[at + 3]]).TotalMilliseconds);
            Array.Copy(answers, at, answers, 0, kept -= at);
        }

        return latencies;
    }
}
