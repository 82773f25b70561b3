using System.Runtime.CompilerServices;
using System.Text;
using Broker.Grains.Routing;

namespace Broker.Bench;

/// <summary>`trie [filters…]`: change rate, match time, bytes a route and the longest single change, by number of filters.</summary>
/// <remarks>`match` takes 20,000 topics at random, `hot` 500 of them, so that the filters they meet lie in the processor's cache:
/// the difference is memory latency. `miss` is a topic one level too long. The first rows warm up.</remarks>
internal static class SubscriptionTrieBenchmark
{
    private const int Topics = 20_000;
    private const int HotTopics = 500;

    private static readonly (string Name, Func<int, string> Filter, Func<int, string> Topic)[] Shapes =
    [
        ("bench/{c}/{m}/+", n => $"bench/{n / 1000}/{n % 1000}/+", n => $"bench/{n / 1000}/{n % 1000}/x"),
        ("devices/{uuid}/cmd", n => $"devices/{Uuid(n)}/cmd", n => $"devices/{Uuid(n)}/cmd"),
    ];

    public static void Run(string[] args)
    {
        int[] sizes = args.Length > 0 ? Array.ConvertAll(args, int.Parse) : [1_000, 1_000, 10_000, 100_000, 1_000_000];
        Row("filters", "number", "add/s", "longest add", "match ns", "hot ns", "miss ns", "bytes/route", "remove/s");
        foreach (var size in sizes)
        {
            foreach (var (name, filter, topic) in Shapes) One(name, size, filter, topic);
        }

        OneFilter(1_000_000);
    }

    private static void One(string name, int size, Func<int, string> filter, Func<int, string> topic)
    {
        var random = new Random(1);
        var topics = Enumerable.Range(0, Topics).Select(_ => Encoding.UTF8.GetBytes(topic(random.Next(size)))).ToArray();
        var unknown = Enumerable.Range(0, Topics).Select(_ => Encoding.UTF8.GetBytes(topic(random.Next(size)) + "/none")).ToArray();
        var paths = Paths(Math.Min(size, 1_000_000), 0, filter);
        var before = Measure.LiveBytes();
        var trie = new SubscriptionTrie();
        var (add, longest) = Measure.Each(paths.Length, at => trie.Add(paths[at], new Route(at, (ulong)at)));
        for (var from = paths.Length; from < size; from += paths.Length) // ten million paths at once would not fit
        {
            var (mean, worst) = AddMore(trie, from, paths.Length, filter);
            (add, longest) = (Math.Max(add, mean), Math.Max(longest, worst));
        }

        var bytes = (Measure.LiveBytes() - before) / (double)size;
        var into = new List<Route>();
        var found = 0;
        void Match(byte[] of)
        {
            into.Clear();
            trie.Match(of, into);
            found += into.Count;
        }

        var match = Measure.BestOfFive(Topics, at => Match(topics[at]));
        if (found != Topics * 6) throw new InvalidOperationException($"Found {found} routes.");
        var hot = Measure.BestOfFive(Topics, at => Match(topics[at % HotTopics]));
        var miss = Measure.BestOfFive(Topics, at => Match(unknown[at]));
        var (remove, _) = Measure.Each(paths.Length, at => trie.Remove(paths[at], new Route(at, (ulong)at)));
        Row(name, $"{size:N0}", $"{1e9 / add:N0}", $"{longest:F2} ms", $"{match:F0}", $"{hot:F0}", $"{miss:F0}", $"{bytes:F1}", $"{1e9 / remove:N0}");
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // or the caller's frame keeps the paths alive while memory is measured
    private static (double Mean, double LongestMs) AddMore(SubscriptionTrie trie, int from, int count, Func<int, string> filter)
    {
        var paths = Paths(count, from, filter);
        return Measure.Each(count, at => trie.Add(paths[at], new Route(from + at, (ulong)at)));
    }

    private static void OneFilter(int routes)
    {
        var trie = new SubscriptionTrie();
        var (add, longest) = Measure.Each(routes, at => trie.Add("all/+"u8, new Route(at, 1)));
        var into = new List<Route>(routes);
        var match = Measure.BestOfFive(5, _ =>
        {
            into.Clear();
            trie.Match("all/x"u8, into);
        });
        var bytes = Measure.LiveBytes();
        var (remove, _) = Measure.Each(routes, at => trie.Remove("all/+"u8, new Route((int)(at * 7919L % routes), 1)));
        bytes = (bytes - Measure.LiveBytes()) / routes;
        Row("all/+, many routes", $"{routes:N0}", $"{1e9 / add:N0}", $"{longest:F2} ms", $"{match:N0}", "", "", $"{bytes}", $"{1e9 / remove:N0}");
    }

    private static void Row(string name, params string[] cells) =>
        Console.WriteLine(name.PadRight(20) + string.Concat(cells.Select(cell => cell.PadLeft(13))));

    private static byte[][] Paths(int count, int from, Func<int, string> filter)
    {
        var paths = new byte[count][];
        for (var at = 0; at < count; at++) paths[at] = Encoding.UTF8.GetBytes(filter(from + at));
        return paths;
    }

    private static Guid Uuid(int n) => new(n * 0x6B43A9B5, (short)n, (short)(n >> 8), 4, 5, 6, 7, 8, 9, 10, 11);
}
