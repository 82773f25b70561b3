using System.Text;
using Broker.Gateway.Admin.Audit;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Admin.Audit;

public sealed class AuditFilesTests
{
    private readonly string folder = Path.Combine(TestStore.NewFolder(), "audit");

    [Fact]
    public void NewestAreKept_AndFilesGo()
    {
        using var files = Open(maxEntries: 80);
        for (var i = 0; i < 1000; i++) files.Append([Line(i)]);
        Assert.Equal(Enumerable.Range(920, 80).Reverse().Select(Text), Read(files));
        Assert.InRange(AllLines(), 80, 90);
    }

    [Fact]
    public void EarlierProcesssFileGoesOn_IfItIsWhole()
    {
        for (var i = 0; i < 5; i++)
        {
            using var files = Open();
            files.Append([Line(i), Line(i + 100)]);
        }

        Assert.Single(Directory.GetFiles(folder));
        using var last = Open();
        Assert.Equal([Text(104), Text(4), Text(103), Text(3), Text(102), Text(2), Text(101), Text(1), Text(100), Text(0)], Read(last));
    }

    [Fact]
    public void HalfALineHurtsNoOther_WhenAProcessDiedWritingIt()
    {
        using (var files = Open()) files.Append([Line(1)]);
        File.AppendAllText(Assert.Single(Directory.GetFiles(folder)), "half");
        using var again = Open();
        again.Append([Line(2)]);
        Assert.Equal([Text(2), "half", Text(1)], Read(again));
    }

    [Fact]
    public void NodesDoNotMix_InOneFolder()
    {
        using var one = Open();
        using var other = new AuditFiles(folder, "b-00000001", 80, TimeSpan.FromDays(1), TimeProvider.System);
        using var third = new AuditFiles(folder, "b", 80, TimeSpan.FromDays(1), TimeProvider.System);
        one.Append([Line(1)]);
        other.Append([Line(2)]);
        third.Append([Line(3)]);
        Assert.Equal([Text(1)], Read(one));
        Assert.Equal([Text(2)], Read(other));
        Assert.Equal([Text(3)], Read(third));
    }

    [Fact]
    public void OldFilesGo()
    {
        using var files = Open(maxEntries: 80);
        for (var i = 0; i < 25; i++) files.Append([Line(i)]); // ten a file
        var oldest = Directory.GetFiles(folder).Order(StringComparer.Ordinal).First();
        File.SetLastWriteTimeUtc(oldest, DateTime.UtcNow.AddDays(-2));
        for (var i = 25; i < 35; i++) files.Append([Line(i)]);
        Assert.False(File.Exists(oldest));
        Assert.Equal(Enumerable.Range(10, 25).Reverse().Select(Text), Read(files));
    }

    [Fact]
    public void WritingGoesOn_WhenTheDiskIsBack()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
        File.WriteAllText(folder, "in the way");
        using var files = Open();
        Assert.ThrowsAny<IOException>(() => files.Append([Line(1)]));
        Assert.Empty(Read(files));
        File.Delete(folder);
        files.Append([Line(2)]);
        Assert.Equal([Text(2)], Read(files));
    }

    private AuditFiles Open(int maxEntries = 8000) => new(folder, "a", maxEntries, TimeSpan.FromDays(1), TimeProvider.System);

    private static string Text(int number) => $"{{\"n\":{number}}}";

    private static byte[] Line(int number) => Encoding.UTF8.GetBytes(Text(number) + "\n");

    private static IEnumerable<string> Read(AuditFiles files) => files.Read().Select(Encoding.UTF8.GetString);

    private int AllLines() => Directory.GetFiles(folder).Sum(path => File.ReadAllLines(path).Length);
}
