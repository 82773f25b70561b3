using System.Diagnostics;
using System.Globalization;

namespace Broker.Bench;

/// <summary>What a QoS 0 message costs a running broker when it holds many filters: CPU time, everything included, by number of filters.</summary>
/// <remarks>Arguments: port, process id of the broker, seconds a row (5), numbers of filters (1,000 10,000 100,000 1,000,000). `hot` repeats 500
/// topics; `random` draws 200,000 from all of them, so that nothing on a message's way is in the processor's cache or the publisher's.</remarks>
internal static class FiltersBenchmark
{
    private const int Subscribers = 100;
    private const int FiltersPerPacket = 500;
    private const int HotTopics = 500;
    private const int RandomTopics = 200_000;
    private const int Payload = 64;

    public static void Run(string[] arguments)
    {
        var numbers = Array.ConvertAll(arguments, text => int.Parse(text, CultureInfo.InvariantCulture));
        if (numbers.Length < 2) throw new ArgumentException("filters <port> <pid> [seconds] [filters…]");
        int[] sizes = numbers.Length > 3 ? numbers[3..] : [1_000, 10_000, 100_000, 1_000_000];
        RunAsync(numbers[0], numbers[1], numbers.Length > 2 ? numbers[2] : 5, sizes).GetAwaiter().GetResult();
    }

    private static async Task RunAsync(int port, int process, int seconds, int[] sizes)
    {
        var subscribers = new RawClient[Subscribers];
        for (var n = 0; n < Subscribers; n++) subscribers[n] = await RawClient.ConnectAsync(port, $"filters-{n}", clean: true);
        using var publisher = await RawClient.ConnectAsync(port, "filters-publisher", clean: true);
        var (present, received) = (0, 0L);
        Console.WriteLine("     filters   hot: /s   CPU µs   random: /s   CPU µs");
        foreach (var size in sizes)
        {
            await Parallel.ForAsync(0, Subscribers, async (n, _) => await SubscribeAsync(subscribers[n], n, present, size));
            present = size;
            using var stop = new CancellationTokenSource();
            var readers = Array.ConvertAll(subscribers, subscriber => DrainAsync(subscriber, count => Interlocked.Add(ref received, count), stop.Token));
            var hot = await PublishAsync(HotTopics);
            var random = await PublishAsync(RandomTopics);
            Console.WriteLine($"{size,12:N0}{hot.Rate,10:N0}{hot.Cpu,9:F2}{random.Rate,13:N0}{random.Cpu,9:F2}");
            await stop.CancelAsync();
            await Task.WhenAll(readers);
        }

        foreach (var subscriber in subscribers) subscriber.Dispose();

        async Task<(double Rate, double Cpu)> PublishAsync(int topics)
        {
            var random = new Random(1);
            var packets = Enumerable.Range(0, Math.Min(topics, present)).SelectMany(_ => RawClient.Publish(Topic(random.Next(present)), 0, 0, Payload)).ToArray();
            using var broker = Process.GetProcessById(process);
            for (var warm = Stopwatch.StartNew(); warm.Elapsed.TotalSeconds < 1;) await SendAsync();
            broker.Refresh();
            var (cpu, before, clock) = (broker.TotalProcessorTime, Interlocked.Read(ref received), Stopwatch.StartNew());
            while (clock.Elapsed.TotalSeconds < seconds) await SendAsync();
            broker.Refresh();
            var messages = Interlocked.Read(ref received) - before;
            return (messages / clock.Elapsed.TotalSeconds, (broker.TotalProcessorTime - cpu).TotalMicroseconds / messages);

            async Task SendAsync()
            {
                for (var at = 0; at < packets.Length; at += 65_536)
                    await publisher.SendAsync(packets.AsMemory(at, Math.Min(65_536, packets.Length - at)));
            }
        }
    }

    /// <summary>The same length whatever the number, so that messages are counted by their bytes.</summary>
    private static string Topic(int n) => $"devices/{n * 0x6B43A9B5u:x8}-{n:d8}/state";

    private static async Task SubscribeAsync(RawClient client, int subscriber, int present, int size)
    {
        var mine = Enumerable.Range(present, size - present).Where(n => n % Subscribers == subscriber).Select(Topic);
        foreach (var filters in mine.Chunk(FiltersPerPacket))
        {
            await client.SendAsync(RawClient.Subscribe(0, filters));
            await client.ReceiveAsync(filters.Length < 126 ? 4 + filters.Length : 5 + filters.Length);
        }
    }

    private static async Task DrainAsync(RawClient client, Action<int> count, CancellationToken stop)
    {
        var packet = RawClient.Publish(Topic(0), 0, 0, Payload).Length;
        var buffer = new byte[65_536];
        var kept = 0;
        try
        {
            while (true)
            {
                kept += await client.ReceiveAsync(buffer, stop);
                count(kept / packet);
                kept %= packet;
            }
        }
        catch (OperationCanceledException)
        {
            // The row is done.
        }
    }
}
