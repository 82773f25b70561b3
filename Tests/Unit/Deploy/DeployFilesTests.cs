using System.Text.RegularExpressions;
using Xunit;
using YamlDotNet.Core;

namespace Broker.Tests.Unit.Deploy;

/// <summary>What holds for every file below `deploy`.</summary>
public partial class DeployFilesTests
{
    [Fact]
    public void EveryYamlIsRead_WhenParsed()
    {
        var files = DeployTree.Files().Where(path => Path.GetExtension(path) is ".yaml" or ".yml").ToArray();
        Assert.NotEmpty(files);
        Assert.All(files, path => Assert.DoesNotContain(null, DeployTree.Yaml(SourceTree.Text(path))));
    }

    [Theory]
    [InlineData("a: [1")]
    [InlineData("a: 1\nb: 2\na: 3")]
    [InlineData("a:\n\t- b")]
    public void YamlIsRefused_WhenMalformedOrAmbiguous(string text) => Assert.ThrowsAny<YamlException>(() => DeployTree.Yaml(text));

    [Fact]
    public void MergedKeysStandBehindOwn_WhenYamlIsRead() => Assert.Equal(
        """{"a":"2","b":{"c":"1"}}""", DeployTree.Yaml("x: &x { a: 1, b: { c: 1 } }\ny: { <<: *x, a: 2 }").Single().At("y")!.ToJsonString());

    [Fact]
    public void LinksLeadSomewhere_WhenInReadme() =>
        Assert.All(Links(SourceTree.Text("deploy/README.md")), link => Assert.True(Path.Exists(Path.Combine(SourceTree.Root, "deploy", link)), link));

    [Fact]
    public void FoldersAreInReadme_WhenThere() => Assert.Superset(
        Directory.GetDirectories(Path.Combine(SourceTree.Root, "deploy")).Select(path => Path.GetFileName(path)!).ToHashSet(),
        Links(SourceTree.Text("deploy/README.md")).Select(link => link.Split('/')[0]).Append("schema").ToHashSet());

    [Fact]
    public void NoFileIsLong_WhenInDeploy() => Assert.DoesNotContain(DeployTree.Files(), path => SourceTree.Lines(path).Length > 300);

    private static IEnumerable<string> Links(string text) => Link().Matches(text).Select(match => match.Groups[1].Value);

    [GeneratedRegex(@"\]\(([^)#]+)\)")]
    private static partial Regex Link();
}
