using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Broker.Bench;

/// <summary>What 100,000 connections of garbage do to a broker and to those who use it: a well-behaved client's round trips before and meanwhile, and the broker's memory.</summary>
internal static class GarbageBenchmark
{
    private const int AtOnce = 64;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    /// <param name="args">The broker's process, its MQTT port, the port to attack (the same by default), how many connections (100,000), and how many a second (2,000: more leave the measuring client no processor on a small machine).</param>
    public static void Run(string[] args)
    {
        if (args.Length < 2)
        {
            Console.Error.WriteLine("garbage PID PORT [ATTACKED] [COUNT] [RATE]");
            return;
        }

        var numbers = Array.ConvertAll(args, one => int.Parse(one, CultureInfo.InvariantCulture));
        RunAsync(numbers[0], numbers[1], numbers.Length > 2 ? numbers[2] : numbers[1], numbers.Length > 3 ? numbers[3] : 100_000, numbers.Length > 4 ? numbers[4] : 2_000).GetAwaiter().GetResult();
    }

    private static async Task RunAsync(int process, int port, int attacked, int count, int rate)
    {
        using var client = await RawClient.ConnectAsync(port, "well-behaved", clean: true);
        await client.SendAsync(RawClient.Subscribe(0, "round/trip"));
        await client.ReceiveAsync(5);
        await MeasureAsync(client, Task.Delay(Quiet)); // warm
        var before = await MeasureAsync(client, Task.Delay(Quiet));
        Console.WriteLine($"before:    round trip p50 {before.P50:F0} µs, p99 {before.P99:F0} µs ({before.Count} of them), broker {ResidentMiB(process)} MiB");
        var clock = Stopwatch.StartNew();
        var processor = ProcessorTime(process);
        var during = await MeasureAsync(client, AttackAsync(attacked, count, rate));
        var took = clock.Elapsed;
        Console.WriteLine($"meanwhile: round trip p50 {during.P50:F0} µs, p99 {during.P99:F0} µs ({during.Count} of them); {count} connections in {took.TotalSeconds:F1} s, "
            + $"{(ProcessorTime(process) - processor).TotalMicroseconds / count:F0} µs of the broker's processor time each");
        var after = await MeasureAsync(client, Task.Delay(Quiet));
        Console.WriteLine($"after:     round trip p50 {after.P50:F0} µs, p99 {after.P99:F0} µs ({after.Count} of them), broker {ResidentMiB(process)} MiB");
    }

    /// <summary>One round trip of a message a millisecond, until something has ended.</summary>
    private static async Task<(double P50, double P99, int Count)> MeasureAsync(RawClient client, Task end)
    {
        var message = RawClient.Publish("round/trip", 0, 0, 16);
        var times = new List<double>();
        while (!end.IsCompleted)
        {
            var start = Stopwatch.GetTimestamp();
            await client.SendAsync(message);
            await client.ReceiveAsync(message.Length);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            await Task.Delay(1);
        }

        await end;
        times.Sort();
        return (times[times.Count / 2], times[times.Count * 99 / 100], times.Count);
    }

    private static async IAsyncEnumerable<int> PaceAsync(int count, int rate)
    {
        var clock = Stopwatch.StartNew();
        for (var number = 0; number < count; number++)
        {
            while (number > clock.Elapsed.TotalSeconds * rate) await Task.Delay(1);
            yield return number;
        }
    }

    private static Task AttackAsync(int port, int count, int rate) => Parallel.ForEachAsync(PaceAsync(count, rate), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (number, cancellation) =>
    {
        var random = new Random(number);
        var garbage = new byte[random.Next(1, 300)];
        random.NextBytes(garbage);
        // A third begins like TLS, a third like MQTT.
        if (number % 3 == 0) new byte[] { 0x16, 3, 1, 0, 50 }.AsSpan(0, Math.Min(5, garbage.Length)).CopyTo(garbage);
        if (number % 3 == 1) new byte[] { 0x10, 60, 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T' }.AsSpan(0, Math.Min(8, garbage.Length)).CopyTo(garbage);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
            await socket.SendAsync(garbage, cancellation);
        }
        catch (SocketException)
        {
            // The broker was faster.
        }
    });

    private static long ResidentMiB(int process) => Process.GetProcessById(process).WorkingSet64 >> 20;

    private static TimeSpan ProcessorTime(int process) => Process.GetProcessById(process).TotalProcessorTime;
}
