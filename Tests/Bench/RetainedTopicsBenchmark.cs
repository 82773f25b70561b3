using System.Text;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Retained;

namespace Broker.Bench;

/// <summary>`retained [topics…]`: set, replace, read and remove rates, and bytes a topic beyond its name and value.</summary>
internal static class RetainedTopicsBenchmark
{
    private const int Sample = 20_000;
    private const int PageSize = 1000;

    public static void Run(string[] args)
    {
        int[] sizes = args.Length > 0 ? Array.ConvertAll(args, int.Parse) : [10_000, 1_000_000];
        foreach (var size in sizes) One(size);
    }

    private static void One(int size)
    {
        var random = new Random(1);
        var names = Enumerable.Range(0, size).Select(at => TopicName.Parse($"devices/{at}/state")).ToArray();
        random.Shuffle(names);
        var before = Measure.LiveBytes();
        var topics = new RetainedTopics<string>();
        var (set, longest) = Measure.Each(size, at => topics.Set(names[at], "value"));
        var bytes = (Measure.LiveBytes() - before) / (double)size;
        var (replace, _) = Measure.Each(size, at => topics.Set(names[at], "other"));

        Console.WriteLine($"{size:N0} topics devices/{{n}}/state: {bytes:F1} bytes a topic");
        Console.WriteLine($"  set {1e9 / set:N0}/s (longest {longest:F1} ms), replace {1e9 / replace:N0}/s");
        var exact = names.Take(Sample).Select(name => name.Utf8.ToArray()).ToArray();
        Report("exact filter", Measure.BestOfFive(exact.Length, at => Read(topics, exact[at])), 1);
        var below = names.Take(Sample).Select(name => Encoding.UTF8.GetBytes(name.Text.Replace("state", "#", StringComparison.Ordinal))).ToArray();
        Report("devices/{n}/#", Measure.BestOfFive(below.Length, at => Read(topics, below[at])), 1);
        foreach (var filter in (string[])["#", "devices/+/state", "+/+/+", "devices/+/none"])
        {
            var path = Encoding.UTF8.GetBytes(filter);
            var (longestPage, found) = LongestPage(topics, path);
            Report(filter, Measure.BestOfFive(1, _ => Read(topics, path)), size);
            Console.WriteLine($"    {found:N0} found, longest page of {PageSize}: {longestPage:F2} ms");
        }

        var (remove, _) = Measure.Each(size, at => topics.Remove(names[at]));
        Console.WriteLine($"  remove {1e9 / remove:N0}/s");
    }

    private static void Report(string filter, double nanoseconds, int topics) =>
        Console.WriteLine($"  {filter,-16} {nanoseconds,14:N0} ns, {nanoseconds / topics,6:N0} ns a topic");

    private static int Read(RetainedTopics<string> topics, byte[] path)
    {
        var cursor = default(RetainedCursor);
        var found = 0;
        var page = new List<string>();
        while (topics.Match(path, ref cursor, PageSize, page))
        {
            found += page.Count;
            page.Clear();
        }

        return found + page.Count;
    }

    private static (double Milliseconds, int Found) LongestPage(RetainedTopics<string> topics, byte[] path)
    {
        var cursor = default(RetainedCursor);
        var page = new List<string>();
        var longest = 0.0;
        var found = 0;
        var more = true;
        while (more)
        {
            page.Clear();
            longest = Math.Max(longest, Measure.Each(1, _ => more = topics.Match(path, ref cursor, PageSize, page)).LongestMs);
            found += page.Count;
        }

        return (longest, found);
    }
}
